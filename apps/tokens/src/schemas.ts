import { parseForm, printable, ProtocolError } from "@portvakt/oauth";
import { z } from "zod";

const maxTokenLength = 32_768;

const maxNameLength = 64;

const identityProvider = z
  .string()
  .min(1)
  .max(maxNameLength)
  .describe(
    "The provider: `entra_id` (alias `azuread`), `tokenx`, `maskinporten`, `idporten`, or a configured one.",
  );
const target = z
  .string()
  .min(1, "is empty")
  .max(4096)
  .describe(
    "Whom the token is for. Entra ID: `cluster:namespace:app`, `api://cluster.namespace.app/.default` or a scope. TokenX: `cluster:namespace:app`. Maskinporten: scopes, separated by spaces.",
  );
const skipCache = z
  .boolean()
  .nullish()
  .describe("Drops a token that is held for the same request, and gets a new one.");
const texts = (max: number) =>
  z.union([
    z
      .string()
      .min(1)
      .max(1024)
      .transform((one) => [one]),
    z.array(z.string().min(1).max(1024)).min(1).max(max),
  ]);

/** `POST /api/v1/token`. */
export const tokenRequest = z.object({
  identity_provider: identityProvider,
  target,
  resource: texts(16).nullish().describe("Maskinporten: the APIs that the token is for (becomes `aud`)."),
  authorization_details: z
    .array(z.record(z.string(), z.unknown()))
    .min(1)
    .max(16)
    .nullish()
    .describe("RFC 9396 authorization details."),
  consumer_org: z
    .string()
    .min(1)
    .max(64)
    .nullish()
    .describe("Maskinporten: the organisation that delegated."),
  pid: z.string().min(1).max(64).nullish().describe("Maskinporten: the person that the token is about."),
  skip_cache: skipCache,
});

/** `POST /api/v1/token/exchange`. */
export const exchangeRequest = z.object({
  identity_provider: identityProvider,
  target,
  user_token: z
    .string()
    .min(1, "is empty")
    .max(maxTokenLength)
    .describe("The access token that the user's request brought, without the word Bearer."),
  skip_cache: skipCache,
});

const httpMethod = z
  .string()
  .regex(/^[A-Z]{1,16}$/, "is not an HTTP method in capitals")
  .describe("The HTTP method of the request.");
const httpUrl = z.url({ protocol: /^https?$/ }).max(4096);

/** `POST /api/v1/dpop-proof`. */
export const proofRequest = z.object({
  method: httpMethod,
  url: httpUrl.describe("The address of the request; query and fragment are left out of the proof."),
  access_token: z.string().max(maxTokenLength).nullish().describe("The token that goes with the request."),
  nonce: z.string().max(1024).nullish().describe("What the receiver asked for with `DPoP-Nonce`."),
});

/** What `require` may ask of a token, beyond that it is valid. Lists: `acr`, `azp`, `client_id`, `groups` any of; `scope`, `roles` all of. */
export const requirements = z.strictObject({
  acr: texts(16).nullish().describe("One of these; a higher level of ID-porten also counts."),
  scope: texts(64).nullish().describe("All of these scopes."),
  roles: texts(64).nullish().describe("All of these roles."),
  groups: texts(256).nullish().describe("One of these groups."),
  azp: texts(64).nullish().describe("One of these calling applications."),
  client_id: texts(64).nullish().describe("One of these clients."),
  max_age: z.number().min(0).nullish().describe("Seconds since the user signed in, at most."),
  idtyp: z.enum(["app", "user"]).nullish().describe("A machine's token, or a user's."),
});

export type Requirements = z.output<typeof requirements>;

const possession = z.strictObject({
  proof: z.string().max(8192).describe("The `DPoP` header of the request that brought the token."),
  method: httpMethod,
  url: httpUrl.describe("The address of that request, as its caller reaches it."),
});

/**
 * Members that nobody knows are passed over, as the baseline does. But one that seems to be meant as a requirement is refused: to
 * pass over that would let in whom it was to keep out. `client_id` is none of them, for RFC 7662 section 2.1 has it.
 */
const seemsRequired = /^req|quir|^(acr|scope|roles|groups|azp|max_age|idtyp)$/i;

const introspectMembers = {
  token: z.string().max(maxTokenLength).describe("The access token, without the word Bearer."),
  identity_provider: identityProvider.nullish().describe("The provider whose token it is to be."),
  any: z
    .boolean()
    .nullish()
    .describe(
      "Find the provider by the token's issuer, among those that are enabled and whose tokens have an audience; where `require` has a scope, among all.",
    ),
  require: requirements
    .nullish()
    .describe(
      "What the token must have beyond being valid: `acr`, `scope`, `roles`, `groups`, `azp`, `client_id`, `max_age`, `idtyp`.",
    ),
  dpop: possession
    .nullish()
    .describe(
      "The proof for a token that is bound to a key (RFC 9449); without it such a token is not active.",
    ),
  binding_checked: z
    .boolean()
    .nullish()
    .describe("This application checks itself that its caller has the key that a token is bound to (`cnf`)."),
};

/** `POST /api/v1/introspect`. */
export const introspectRequest = z.looseObject(introspectMembers).check(({ value, issues }) => {
  const refuse = (name: string, message: string): void => {
    issues.push({ code: "custom", input: value, path: [name], message });
  };
  if ((value.any === true) === (typeof value.identity_provider === "string"))
    refuse("identity_provider", value.any === true ? "is not for any" : "is required, unless any is true");
  for (const name in value) {
    if (!Object.hasOwn(introspectMembers, name) && seemsRequired.test(name))
      refuse(printable(name), "is not known; requirements go into require");
  }
});

export type IntrospectRequest = z.output<typeof introspectRequest>;

/** Reads an introspection request. The usual one, a provider and a token, is called for each request of an application: it needs no schema. */
export function parseIntrospectRequest(contentType: string, body: string): IntrospectRequest {
  const value = readBodyText(contentType, body);
  return isUsual(value) ? value : checked(introspectRequest, value);
}

/** Whether a request has nothing but a provider and a token, which the schema would take as they are. */
function isUsual(value: unknown): value is IntrospectRequest {
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) if (name !== "identity_provider" && name !== "token") return false;
  const { identity_provider: name, token } = value as Readonly<Record<string, unknown>>;
  const isName = typeof name === "string" && name !== "" && name.length <= maxNameLength;
  return isName && typeof token === "string" && token.length <= maxTokenLength;
}

const jsonMembers: ReadonlySet<string> = new Set(["authorization_details", "require", "dpop"]);
const flags: ReadonlySet<string> = new Set(["skip_cache", "any", "binding_checked"]);
const repeatable = ["resource"];

/**
 * Reads a request body: JSON or a form, by its content type, checked by the schema.
 *
 * Checks: media type, syntax, every member's shape; a form's parameters are not repeated. Does not check: whether the
 * provider is enabled, or anything in a token. Throws: ProtocolError `invalid_request`, which never holds a value.
 */
export function parseBody<S extends z.ZodType>(schema: S, contentType: string, body: string): z.output<S> {
  return checked(schema, readBodyText(contentType, body));
}

function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? "the body" : issue.path.join(".");
  throw new ProtocolError("invalid_request", `${path}: ${plain(issue, value)}`);
}

const jsonType = "application/json";

function readBodyText(contentType: string, body: string): unknown {
  const type =
    contentType === jsonType ? jsonType : (contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "");
  if (type === jsonType) return parseJson(body, "the body");
  if (type === "application/x-www-form-urlencoded") return formToObject(body);
  const shown = type.replaceAll(/[^a-z0-9.+/-]/g, "?").slice(0, 80);
  throw new ProtocolError(
    "invalid_request",
    `unsupported media type: ${shown}: expected one of application/json, application/x-www-form-urlencoded`,
  );
}

function formToObject(body: string): Record<string, unknown> {
  const form = parseForm(body, { repeatable });
  return Object.fromEntries(
    form.names().map((name) => {
      const text = form.one(name) ?? "";
      if (repeatable.includes(name)) return [name, form.all(name)];
      if (jsonMembers.has(name)) return [name, parseJson(text, name)];
      if (flags.has(name)) return [name, text === "true" ? true : text === "false" ? false : text];
      return [name, text];
    }),
  );
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError("invalid_request", `${what} is not JSON`);
  }
}

/** Says what is wrong without the value; zod says "expected string, received undefined" for what is simply missing. */
function plain(issue: z.core.$ZodIssue | undefined, value: unknown): string {
  if (issue === undefined) return "is not of the right shape";
  const [name] = issue.path;
  const missing =
    issue.code !== "custom" &&
    issue.path.length === 1 &&
    typeof value === "object" &&
    value !== null &&
    (value as Record<PropertyKey, unknown>)[name ?? ""] === undefined;
  return missing ? "is missing" : issue.message;
}

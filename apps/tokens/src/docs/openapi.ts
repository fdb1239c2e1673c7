import { z } from "zod";
import { exchangeRequest, introspectRequest, proofRequest, tokenRequest } from "../schemas.ts";

interface EndpointRow {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  /** The variable in which platforms tell applications the address. */
  readonly variable?: string;
  /** By name, as in the document. The schema of the request is the one that checks it. */
  readonly request: readonly [name: string, schema: z.ZodType];
  readonly answer: keyof typeof answers;
  /** What an application may send; the provider is filled in. */
  readonly example: Readonly<Record<string, unknown>>;
}

const endpoints: Readonly<Record<string, EndpointRow>> = {
  "/api/v1/token": {
    id: "token",
    summary: "A token for the application itself",
    description:
      "Entra ID: client credentials. Maskinporten: JWT grant. Equal requests share one token until it is near its end.",
    variable: "NAIS_TOKEN_ENDPOINT",
    request: ["TokenRequest", tokenRequest],
    answer: "TokenResponse",
    example: { target: "cluster:namespace:application" },
  },
  "/api/v1/token/exchange": {
    id: "exchange",
    summary: "A token for the next application, on behalf of a user",
    description: "Entra ID: on-behalf-of. TokenX: RFC 8693 token exchange.",
    variable: "NAIS_TOKEN_EXCHANGE_ENDPOINT",
    request: ["ExchangeRequest", exchangeRequest],
    answer: "TokenResponse",
    example: { target: "cluster:namespace:application", user_token: "eyJ…" },
  },
  "/api/v1/introspect": {
    id: "introspect",
    summary: "Whether a token is valid here",
    description:
      "Always 200 about a token. `active: false` comes with the reason; what an API allows is for the API to decide, or to put into `require`. A token that is bound to a key is active with the proof that came with it.",
    variable: "NAIS_TOKEN_INTROSPECTION_ENDPOINT",
    request: ["IntrospectRequest", introspectRequest],
    answer: "IntrospectResponse",
    example: { token: "eyJ…" },
  },
  "/api/v1/dpop-proof": {
    id: "proof",
    summary: "The proof for a request with a token that is bound to a key",
    description:
      "RFC 9449. Send it as the `DPoP` header, beside `Authorization: DPoP` and the token; each proof works once.",
    request: ["ProofRequest", proofRequest],
    answer: "ProofResponse",
    example: { method: "GET", url: "https://api.example/cases", access_token: "eyJ…" },
  },
};

const answers = {
  TokenResponse: z.object({
    access_token: z.string(),
    expires_in: z.int().min(0).describe("Seconds left, also for a token that was held."),
    token_type: z.enum(["Bearer", "DPoP"]),
    scope: z.string().optional(),
    issued_token_type: z.string().optional(),
  }),
  IntrospectResponse: z.union([
    z.looseObject({ active: z.literal(true) }).describe("The token's claims."),
    z.object({ active: z.literal(false), error: z.string().describe("Why, for a person to read.") }),
  ]),
  ProofResponse: z.object({ proof: z.string() }),
  ErrorResponse: z.looseObject({
    error: z.string().describe("The provider's own code, or one of RFC 6749 section 5.2."),
    error_description: z.string(),
    error_uri: z.string().optional(),
    hint: z.string().optional().describe("The cause, and what to change."),
    hint_code: z.string().optional().describe("The provider's code that the hint translates."),
    owner: z
      .enum(["application", "target", "user", "platform", "provider"])
      .optional()
      .describe("Whose move it is."),
    correlation_id: z.string().optional().describe("By which the log names the cause, for 500 and 503."),
  }),
} as const;

const failures = {
  400: "The request makes no sense, or the provider refused it. A provider's refusal keeps its own status.",
  413: "The request is too large.",
  429: "The provider is asked too often; `Retry-After` says when to come back.",
  500: "The request could not be served.",
  503: "The provider is not answering; the same request may work in a moment.",
} as const;

/** The part of an OpenAPI 3.1 document that the page shows; the document has more. */
export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Shape>> };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly "x-variable"?: string;
  readonly "x-providers"?: readonly string[];
  readonly requestBody: {
    readonly content: Readonly<Record<string, { readonly schema: { $ref: string }; example: object }>>;
  };
}

/** A JSON Schema, as far as the page looks at it. */
export interface Shape {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/**
 * The OpenAPI 3.1 description of the endpoints that are served, made of the schemas that check their requests. `served` gives the
 * providers that an endpoint has here; undefined where it is not served.
 */
export function openApiDocument(
  version: string,
  served: (path: string) => readonly string[] | undefined,
): OpenApiDocument {
  const here = Object.entries(endpoints).flatMap(([path, row]) => {
    const providers = served(path);
    return providers === undefined ? [] : [{ path, row, providers }];
  });
  const requests = here.map(({ row }) => [row.request[0], jsonSchema(row.request[1], "input")]);
  const responses = Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema, "output")]);
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Portvakt token API",
      description: "Tokens for an application, from any provider, and whether those that it gets are valid.",
      version,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths: Object.fromEntries(here.map(({ path, row, providers }) => [path, { post: post(row, providers) }])),
    components: { schemas: Object.fromEntries([...requests, ...responses]) as Record<string, Shape> },
  };
  return document;
}

function post(row: EndpointRow, providers: readonly string[]): Operation {
  const { id, summary, description, variable, answer } = row;
  const [provider] = providers;
  const example = provider === undefined ? row.example : { identity_provider: provider, ...row.example };
  const body = { schema: reference(row.request[0]), example };
  const failed = Object.entries(failures).map(([status, why]) => [status, answered(why, "ErrorResponse")]);
  const operation = {
    operationId: id,
    summary,
    description,
    ...(variable === undefined ? {} : { "x-variable": variable }),
    ...(Object.hasOwn(properties(row), "identity_provider") ? { "x-providers": providers } : {}),
    requestBody: {
      required: true,
      content: { "application/json": body, "application/x-www-form-urlencoded": body },
    },
    responses: { 200: answered(summary, answer), ...Object.fromEntries(failed) },
  };
  return operation;
}

const properties = ({ request }: EndpointRow): object => jsonSchema(request[1], "input").properties ?? {};

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const answered = (description: string, name: string) => ({
  description,
  content: { "application/json": { schema: reference(name) } },
});

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Shape {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest as Shape;
}

import { ProtocolError, type FormParams } from "@portvakt/oauth";
import { expiring } from "../expiring.ts";
import { themes } from "../pages/layout.ts";
import { stableUuid, type Personas } from "../personas/personas.ts";
import type { OpenidClient } from "../registrations.ts";
import type { ClaimsRequest } from "../signin/claims-request.ts";
import type { Clients } from "../signin/clients.ts";
import { createLogins, type Person } from "../signin/logins.ts";
import type { AuthorizationRequest, SigninProvider } from "../signin/provider.ts";
import { pathOf, textOf, type Parts } from "../standin.ts";

const hour = 3600;

/** A plain provider's habits: OpenID Connect Core, and nothing beside it. */
export function openidSignIn(parts: Parts, clients: Clients<OpenidClient>): SigninProvider {
  const { now, personas } = parts;
  return {
    name: "openid",
    theme: themes.openid,
    now,
    logins: createLogins(now, { codeSeconds: 60 }),
    pending: expiring(now),
    pushed: expiring(now),
    cookiePath: `${pathOf(parts)}/`,
    pushedPrefix: "urn:ietf:params:oauth:request_uri:",
    requestObjects: "read",
    signing: parts.signing,
    subject: (person) => textOf(person.claims["sub"]),
    issuer: () => parts.base,
    signinPath: () => `${pathOf(parts)}/signin`,
    findClient: (id) => clients.find(id)?.signin,
    judge: (request) => judge(request, clients),
    refuses: (_person, request) => refusedLevel(request),
    refusedOn: "client",
    choices: () =>
      [...personas.citizens, ...personas.employees].map(({ id, name, about }) => ({
        id,
        name,
        about,
        detail: "",
        blocked: undefined,
      })),
    persona: (id) => personaOf(personas, id),
    typed(form) {
      const username = form.one("username") ?? "";
      if (username.length < 3) return "username";
      return openidPerson(username, form.one("name") ?? username);
    },
    signedIn: () => undefined,
    level: (request) => reachedLevel(request.params, request.claims),
    sessionSeconds: { idle: hour, longest: 8 * hour },
    refreshSeconds: () => 30 * 24 * hour,
    responseMembers: () => ({ iss: parts.base }),
    inOwnWords: (error) => ({ error: error.error, error_description: error.description }),
    unredirectable: (reason, detail) =>
      new ProtocolError("invalid_request", `${texts[reason]}${reason === "other" ? detail : ""}`, {
        status: 400,
      }),
  };
}

const texts = {
  unknown_client: "client_id is not registered",
  redirect_uri: "the redirect URI is not registered for this client",
  other: "invalid parameter: ",
} as const;

/** The levels that a request can name; everybody here reaches each of them. */
export const openidLevels = ["1", "2"] as const;

/** The level that the answer tells of: the first known one that was asked for, else the lowest. */
function reachedLevel(params: FormParams, claims: ClaimsRequest): string {
  const wished = claims.idToken.get("acr")?.values ?? [];
  const asked = [...wished, ...(params.one("acr_values")?.split(" ") ?? [])];
  return openidLevels.find((level) => asked.includes(level)) ?? openidLevels[0];
}

/** OpenID Connect Core section 5.5.1.1: an essential level that is not reached is a failed sign-in. */
function refusedLevel({ claims }: AuthorizationRequest): ProtocolError | undefined {
  const wish = claims.idToken.get("acr");
  if (wish?.essential !== true || wish.values === undefined) return undefined;
  const known = new Set<unknown>(openidLevels);
  return wish.values.some((value) => known.has(value))
    ? undefined
    : new ProtocolError("access_denied", "nobody here reaches an acr that is asked for as essential");
}

const prompts: ReadonlySet<string> = new Set(["none", "login", "consent", "select_account"]);

/** A public client has nothing but PKCE to prove itself by (RFC 9700 section 2.1.1). */
function judge(request: AuthorizationRequest, clients: Clients<OpenidClient>): void {
  const client = clients.find(request.client.id);
  if (request.prompt.some((one) => !prompts.has(one)))
    throw new ProtocolError("invalid_request", "prompt has a value that is not known");
  if (request.challenge === undefined && client?.authMethods.includes("none") === true)
    throw new ProtocolError("invalid_request", "parameter code_challenge is missing");
  if (request.scope.some((scope) => client?.registration.scopes.includes(scope) !== true))
    throw new ProtocolError("invalid_scope", "a scope is not registered for this client");
}

/** The person behind a persona, of whichever list. */
export function personaOf(personas: Personas, id: string): Person | "cancels" | undefined {
  const found = [...personas.citizens, ...personas.employees].find((one) => one.id === id);
  if (found === undefined) return undefined;
  return found.cancels ? "cancels" : openidPerson(found.id, found.name);
}

function openidPerson(id: string, name: string): Person {
  const [given = name, ...rest] = name.split(" ");
  const username = id.includes("@") ? id : `${id}@people.example`;
  return {
    id,
    name,
    claims: {
      sub: stableUuid(`openid:${id}`),
      name,
      given_name: given,
      ...(rest.length === 0 ? {} : { family_name: rest.join(" ") }),
      middle_name: "Test",
      nickname: given,
      preferred_username: id,
      profile: `https://people.example/${encodeURIComponent(id)}`,
      picture: `https://people.example/${encodeURIComponent(id)}/picture`,
      website: "https://people.example/",
      gender: "unspecified",
      birthdate: "1990-01-01",
      zoneinfo: "Europe/Oslo",
      locale: "nb-NO",
      updated_at: 1_767_225_600,
      email: username,
      email_verified: true,
      address: {
        formatted: "Testveien 1\n0001 Oslo\nNorway",
        street_address: "Testveien 1",
        postal_code: "0001",
        locality: "Oslo",
        country: "Norway",
      },
      phone_number: "+4799999999",
      phone_number_verified: true,
    },
  };
}

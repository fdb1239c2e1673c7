import { ProtocolError } from "@portvakt/oauth";
import { expiring } from "../expiring.ts";
import { themes } from "../pages/layout.ts";
import { stableUuid, type Personas } from "../personas/personas.ts";
import type { OpenidClient } from "../registrations.ts";
import type { Clients } from "../signin/clients.ts";
import { createLogins, type Person } from "../signin/logins.ts";
import type { AuthorizationRequest, SigninProvider } from "../signin/provider.ts";
import type { Parts } from "../standin.ts";

const hour = 3600;

/** A plain provider's habits: OpenID Connect Core, and nothing beside it. */
export function openidSignIn(parts: Parts, path: string, clients: Clients<OpenidClient>): SigninProvider {
  const { now, personas } = parts;
  return {
    name: "openid",
    theme: themes.openid,
    now,
    logins: createLogins(now, { codeSeconds: 60 }),
    pending: expiring(now),
    pushed: expiring(now),
    issuer: () => parts.base,
    signinPath: () => `${path}/signin`,
    findClient: (id) => clients.find(id)?.signin,
    judge: (request) => judge(request, clients),
    refuses: () => undefined,
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

/** A public client has nothing but PKCE to prove itself by (RFC 9700 section 2.1.1). */
function judge(request: AuthorizationRequest, clients: Clients<OpenidClient>): void {
  const client = clients.find(request.client.id);
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
      family_name: rest.join(" "),
      preferred_username: id,
      email: username,
      email_verified: true,
    },
  };
}

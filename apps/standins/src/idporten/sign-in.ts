import { ProtocolError } from "@portvakt/oauth";
import { expiring } from "../expiring.ts";
import { themes } from "../pages/layout.ts";
import type { Choice } from "../pages/sign-in.ts";
import { isSyntheticPid } from "../personas/national-identity.ts";
import { levels, type Citizen } from "../personas/personas.ts";
import type { IdportenClient } from "../registrations.ts";
import type { Clients } from "../signin/clients.ts";
import { createLogins, type Person } from "../signin/logins.ts";
import type { AuthorizationRequest, SigninProvider } from "../signin/provider.ts";
import { pathOf, type Parts } from "../standin.ts";
import { pairwiseSubject } from "./tokens.ts";

const minute = 60;
const defaultLevel = "idporten-loa-substantial";
const prompts: ReadonlySet<string> = new Set(["login", "none"]);

/** ID-porten's habits in signing people in. */
export function idportenSignIn(parts: Parts, clients: Clients<IdportenClient>): SigninProvider {
  const { now, personas } = parts;
  return {
    name: "idporten",
    theme: themes.idporten,
    now,
    logins: createLogins(now, { codeSeconds: 120 }),
    pending: expiring(now),
    pushed: expiring(now),
    cookiePath: `${pathOf(parts)}/`,
    pushedPrefix: "urn:idporten:",
    requestObjects: "read",
    signing: parts.signing,
    subject: pairwiseSubject,
    issuer: () => parts.base,
    signinPath: () => `${pathOf(parts)}/signin`,
    findClient: (id) => clients.find(id)?.signin,
    judge: (request) => judge(request, clients),
    refuses(person, request) {
      const asked = askedLevel(request);
      if (rank(person.acr) >= rank(asked)) return undefined;
      return new ProtocolError(
        "access_denied",
        `${person.name} reaches ${person.acr ?? "no level"}, not ${asked}`,
      );
    },
    refusedOn: "client",
    choices: (request) => personas.citizens.map((citizen) => choiceOf(citizen, askedLevel(request))),
    asker: (request) => onBehalfOf(request, clients)?.name ?? request.client.name,
    persona(id) {
      const citizen = personas.citizens.find((one) => one.id === id);
      if (citizen === undefined)
        return isSyntheticPid(id) ? typedPerson(id, "", "idporten-loa-high") : undefined;
      return citizen.cancels ? "cancels" : personOf(citizen);
    },
    typed(form) {
      const pid = form.one("pid") ?? "";
      const level = form.one("level") ?? "";
      if (!isSyntheticPid(pid)) return "pid";
      return typedPerson(pid, form.one("name") ?? "", rank(level) < 0 ? defaultLevel : level);
    },
    signedIn: () => undefined,
    sessionSeconds: { idle: 30 * minute, longest: 120 * minute },
    refreshSeconds: (client) => clients.find(client.id)?.registration.authorization_lifetime ?? 7200,
    // RFC 9207 section 2.
    responseMembers: () => ({ iss: parts.base }),
    inOwnWords: (error) => ({ error: error.error, error_description: error.description }),
    unredirectable(reason, detail) {
      if (reason === "unknown_client")
        return new ProtocolError("invalid_request", "client_id is not registered", { status: 400 });
      if (reason === "redirect_uri")
        return new ProtocolError("invalid_request", "the redirect URI is not registered for this client", {
          status: 400,
        });
      return new ProtocolError("invalid_request", `invalid parameter: ${detail}`, { status: 400 });
    },
  };
}

function choiceOf({ id, name, about, pid, level }: Citizen, asked: string): Choice {
  return { id, name, about, detail: pid ?? "", blocked: rank(level) < rank(asked) ? "tooLow" : undefined };
}

/** Rules that are ID-porten's own: PKCE, state and nonce are forced, levels and scopes must be known. */
function judge(request: AuthorizationRequest, clients: Clients<IdportenClient>): void {
  const bad = (description: string): ProtocolError => new ProtocolError("invalid_request", description);
  if (request.challenge === undefined) throw bad("parameter code_challenge is missing");
  if (request.state === undefined) throw bad("parameter state is missing");
  if (request.nonce === undefined) throw bad("parameter nonce is missing");
  const unknownPrompt = request.prompt.find((one) => !prompts.has(one));
  if (unknownPrompt !== undefined) throw bad("prompt must be login");
  if (rank(askedLevel(request)) < 0) throw bad("acr_values names no known level");
  if (request.params.one("onbehalfof") !== undefined && onBehalfOf(request, clients) === undefined)
    throw bad("onbehalfof is not registered for this client");
  const registration = clients.find(request.client.id)?.registration;
  const scope = request.scope.find((one) => registration?.scopes.includes(one) !== true);
  if (scope !== undefined)
    throw new ProtocolError("invalid_scope", "a scope is not registered for this client");
  const allowed = registration?.resource;
  if (allowed === undefined) return;
  const foreign = request.resource.find((one) => ![allowed].flat().includes(one));
  if (foreign !== undefined)
    throw new ProtocolError("invalid_target", "the resource is not registered for this client");
}

/** The one on whose behalf the client asks, as it was registered. */
function onBehalfOf(
  request: AuthorizationRequest,
  clients: Clients<IdportenClient>,
): { readonly name: string } | undefined {
  const asked = request.params.one("onbehalfof");
  return clients.find(request.client.id)?.registration.onbehalfof.find(({ id }) => id === asked);
}

function askedLevel(request: AuthorizationRequest): string {
  return request.params.one("acr_values")?.split(" ")[0] ?? defaultLevel;
}

/** -1 for what is no level. */
function rank(level: string | undefined): number {
  return levels.findIndex((one) => one === level);
}

/** The person behind a citizen of the personas file. */
export function personOf(citizen: Citizen): Person {
  return {
    id: citizen.id,
    name: citizen.name,
    acr: citizen.level,
    amr: citizen.amr,
    locale: citizen.locale,
    claims: { ...(citizen.pid === undefined ? {} : { pid: citizen.pid }), ...citizen.claims },
  };
}

function typedPerson(pid: string, name: string, level: string): Person {
  return {
    id: pid,
    name: name === "" ? pid : name,
    acr: level,
    amr: "TestID",
    locale: "nb",
    claims: { pid },
  };
}

import type { FormParams, ProtocolError } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import { expiring, type Expiring } from "../expiring.ts";
import { themes } from "../pages/layout.ts";
import type { Choice } from "../pages/sign-in.ts";
import { groupsOf, stableUuid, type Employee, type Personas } from "../personas/personas.ts";
import { createLogins, type Person } from "../signin/logins.ts";
import type { AuthorizationRequest, SigninProvider } from "../signin/provider.ts";
import { pathOf, textOf, type Parts } from "../standin.ts";
import { anyTenant, type Directory, type EntraRegistered, type Tenant } from "./directory.ts";
import { entraError, inEntraWords, unknownApplication } from "./errors.ts";
import { issuerOf, pairwiseSubject } from "./claims.ts";
import { askedScopes } from "./scopes.ts";

const day = 86_400;
const prompts: ReadonlySet<string> = new Set(["login", "none", "consent", "select_account"]);

/** The tenant that a path names; an unknown one is AADSTS90002. `common` is the tenant of whoever asks. */
export function tenantOf(directory: Directory, visit: Visit, clientId?: string): Tenant {
  const name = visit.path["tenant"] ?? "";
  const found = anyTenant.has(name)
    ? (directory.find(clientId ?? visit.params.one("client_id") ?? "")?.tenant ?? directory.firstTenant)
    : directory.tenant(name);
  if (found === undefined)
    throw entraError(
      90002,
      `Tenant '${name.slice(0, 64)}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
    );
  return found;
}

/** Entra ID has neither request objects nor pushed requests, and ignores what it does not know. */
const withoutObjects = { pushedPrefix: undefined, requestObjects: "ignored" } as const;

/** Entra ID's habits in signing people in. `people` remembers them, edits and all, for on-behalf-of exchanges. */
export function entraSignIn(
  parts: Parts,
  directory: () => Directory,
  people: Expiring<Person>,
): SigninProvider {
  const { now, personas } = parts;
  const byId = (id: string): Employee | undefined =>
    personas.employees.find((one) => one.id === id || one.username.toLowerCase() === id.toLowerCase());
  const applicationOf = (request: AuthorizationRequest): EntraRegistered | undefined =>
    directory().find(request.client.id);
  return {
    name: "entra",
    theme: themes.entra,
    now,
    logins: createLogins(now, { codeSeconds: 600 }),
    pending: expiring(now),
    pushed: expiring(now),
    cookiePath: `${pathOf(parts)}/`,
    ...withoutObjects,
    signing: parts.signing,
    subject: pairwiseSubject,
    issuer: (visit) => issuerOf(parts.base, tenantOf(directory(), visit)),
    signinPath: (visit) => `${pathOf(parts)}/${visit.path["tenant"] ?? "common"}/signin`,
    findClient(id, visit) {
      const found = directory().find(id);
      return found?.tenant.id === tenantOf(directory(), visit, id).id ? found.signin : undefined;
    },
    judge(request) {
      const unknown = request.prompt.find((one) => !prompts.has(one));
      if (unknown !== undefined) throw entraError(9002313, "Invalid request. Unsupported 'prompt' value.");
      askedScopes(directory(), request.scope, tenantOf(directory(), request.visit, request.client.id));
    },
    refuses(person, request) {
      const application = applicationOf(request);
      return application === undefined
        ? unknownApplication(request.client.id)
        : refusedUser(person, application);
    },
    refusedOn: "page",
    choices: (request) => choicesFor(personas, directory(), applicationOf(request)),
    persona(id) {
      const employee = byId(id);
      if (employee === undefined) return undefined;
      return employee.cancels ? "cancels" : personOf(employee, directory());
    },
    typed(form, visit) {
      const username = form.one("username") ?? "";
      if (username.length < 3) return "username";
      const known = byId(username);
      if (known !== undefined) return personOf(known, directory());
      return typedPerson(form, username, tenantOf(directory(), visit));
    },
    signedIn: (person) => people.set(textOf(person.claims["oid"]), person, day),
    sessionSeconds: { idle: day, longest: 90 * day },
    refreshSeconds: () => 90 * day,
    responseMembers: (_request, session) => (session === undefined ? {} : { session_state: session.sid }),
    inOwnWords: authorizationError,
    unredirectable,
  };
}

function choicesFor(
  personas: Personas,
  directory: Directory,
  application: EntraRegistered | undefined,
): Choice[] {
  return personas.employees.map((employee) => {
    const refused =
      application !== undefined && refusedUser(personOf(employee, directory), application) !== undefined;
    return {
      id: employee.id,
      name: employee.name,
      about: employee.about,
      detail: employee.username,
      blocked: refused ? ("noAccess" as const) : undefined,
    };
  });
}

function unredirectable(reason: "unknown_client" | "redirect_uri" | "other", detail: string): ProtocolError {
  if (reason === "unknown_client") return unknownApplication(detail);
  if (reason === "redirect_uri")
    return entraError(
      50011,
      `The redirect URI '${detail.slice(0, 300)}' specified in the request does not match the redirect URIs configured for the application.`,
    );
  return entraError(
    900144,
    `The request must contain the following parameter, and it must be valid: '${detail.slice(0, 100)}'.`,
  );
}

/** Cancelling and prompt=none have codes of their own; the rest is worded as at the token endpoint. */
function authorizationError(error: ProtocolError): { error: string; error_description: string } {
  if (error.error === "access_denied")
    return {
      error: "access_denied",
      error_description: "AADSTS65004: User declined to consent to access the app.",
    };
  if (error.error === "login_required")
    return {
      error: "login_required",
      error_description: "AADSTS50058: A silent sign-in request was sent but no user is signed in.",
    };
  const worded = inEntraWords(error);
  return { error: textOf(worded.members["error"]), error_description: worded.description };
}

/** Tenant, then assignment: AADSTS50020 and AADSTS50105. */
export function refusedUser(person: Person, application: EntraRegistered): ProtocolError | undefined {
  const { registration, tenant } = application;
  const username = textOf(person.claims["preferred_username"]);
  if (person.tenant !== tenant.id)
    return entraError(
      50020,
      `User account '${username}' from identity provider does not exist in tenant '${tenant.domain}' and cannot access the application '${application.id}' (${registration.name}) in that tenant.`,
    );
  if (
    registration.allow_all_users ||
    person.groups?.some((group) => registration.groups.includes(group)) === true
  )
    return undefined;
  return entraError(
    50105,
    `Your administrator has configured the application ${registration.name} ('${application.id}') to block users unless they are specifically granted ('assigned') access to the application. The signed-in user '${username}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator.`,
  );
}

/** The person behind an employee of the personas file. */
export function personOf(employee: Employee, directory: Directory): Person {
  const tenant = employee.tenant === undefined ? directory.firstTenant : directory.tenant(employee.tenant);
  return {
    id: employee.id,
    name: employee.name,
    tenant: tenant?.id ?? employee.tenant ?? "",
    groups: groupsOf(employee),
    claims: {
      oid: stableUuid(`user:${employee.id}`),
      name: employee.name,
      preferred_username: employee.username,
      ...(employee.NAVident === undefined ? {} : { NAVident: employee.NAVident }),
      ...(employee.guest ? { acct: 1 } : {}),
      ...employee.claims,
    },
  };
}

function typedPerson(form: FormParams, username: string, tenant: Tenant): Person {
  const name = form.one("name") ?? username;
  const navident = form.one("navident");
  return {
    id: username,
    name,
    tenant: tenant.id,
    groups: [],
    claims: {
      oid: stableUuid(`user:${username}`),
      name,
      preferred_username: username.includes("@") ? username : `${username}@${tenant.domain}`,
      ...(navident === undefined ? {} : { NAVident: navident }),
    },
  };
}

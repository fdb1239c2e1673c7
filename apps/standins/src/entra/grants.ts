import {
  grantTypes,
  peekJwt,
  ProtocolError,
  randomToken,
  verifyJwt,
  type JwtClaims,
  type TokenRefusal,
} from "@portvakt/oauth";
import { readCredentials, type Grant, type TokenAnswer, type TokenRequest } from "@portvakt/issuer";
import type { Decision } from "@portvakt/policy";
import type { Expiring } from "../expiring.ts";
import type { Occasion } from "../faults/faults.ts";
import type { Asked } from "../signin/grants.ts";
import type { Login, Logins, Person } from "../signin/logins.ts";
import { textOf, type Parts } from "../standin.ts";
import { applicationClaims, idClaims, issuerOf, tokenSeconds, userClaims } from "./claims.ts";
import type { Directory, EntraRegistered, Tenant } from "./directory.ts";
import { entraError } from "./errors.ts";
import { askedScopes, grantedScopes, type AskedScopes } from "./scopes.ts";
import { personOf, refusedUser } from "./sign-in.ts";

/** A client that has authenticated, with how it did (the claim azpacr). */
export interface EntraCaller extends EntraRegistered {
  readonly azpacr: string;
}

export interface EntraGrants {
  readonly parts: Parts;
  readonly directory: () => Directory;
  readonly tenant: Tenant;
  readonly logins: Logins;
  readonly people: Expiring<Person>;
}

/** Client credentials (RFC 6749 section 4.4): exactly one scope, `<resource>/.default`. */
export function clientCredentialsGrant(context: EntraGrants): Grant<EntraCaller, Decision> {
  const { parts, directory, tenant } = context;
  return {
    grantType: grantTypes.clientCredentials,
    required: ["scope"],
    optional: [],
    async authorize({ request, client }) {
      const scope = request.params.one("scope") ?? "";
      if (!/^\S+\/\.default$/.test(scope))
        throw entraError(
          1002012,
          `The provided value for scope ${scope.slice(0, 200)} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
        );
      const { resource } = askedScopes(directory(), [scope], tenant);
      return {
        ...questionTo(resource, client, { grant: grantTypes.clientCredentials }),
        async issue(decision) {
          const about = { client, azpacr: client.azpacr, resource, tenant };
          const claims = applicationClaims(parts, about, decision?.roles ?? []);
          return {
            token_type: "Bearer",
            expires_in: tokenSeconds - 1,
            ext_expires_in: tokenSeconds - 1,
            access_token: await parts.signing.sign(
              claims,
              occasionOf("access_token", client, request.headers),
            ),
          };
        },
      };
    },
  };
}

/** On-behalf-of: the jwt-bearer grant with `requested_token_use=on_behalf_of`. */
export function onBehalfOfGrant(context: EntraGrants): Grant<EntraCaller, Decision> {
  return {
    grantType: grantTypes.jwtBearer,
    required: ["assertion", "scope", "requested_token_use"],
    optional: ["client_info"],
    async authorize({ request, client }) {
      if (request.params.one("requested_token_use") !== "on_behalf_of")
        throw entraError(
          900144,
          "The request body must contain the following parameter: 'requested_token_use', with the value 'on_behalf_of'.",
        );
      const subject = await subjectOf(context, request.params.one("assertion") ?? "", client);
      const asked = askedScopes(
        context.directory(),
        (request.params.one("scope") ?? "").split(" "),
        context.tenant,
      );
      const person = personBehind(context, subject);
      if (asked.resource !== undefined) {
        const refused = refusedUser(person, asked.resource);
        if (refused !== undefined) throw refused;
      }
      return {
        ...questionTo(asked.resource, client, { grant: grantTypes.jwtBearer, subject, scope: asked.names }),
        issue: (decision) => issueOnBehalf(context, { request, client, asked, person, subject, decision }),
      };
    },
  };
}

interface OnBehalf {
  readonly request: TokenRequest;
  readonly client: EntraCaller;
  readonly asked: AskedScopes;
  readonly person: Person;
  readonly subject: JwtClaims;
  readonly decision: Decision | undefined;
}

async function issueOnBehalf({ parts, tenant, logins }: EntraGrants, call: OnBehalf): Promise<TokenAnswer> {
  const { request, client, asked, person, subject } = call;
  const now = parts.now();
  const login: Login = {
    id: randomToken(16),
    clientId: client.id,
    person,
    scope: (request.params.one("scope") ?? "").split(" "),
    resource: [],
    nonce: undefined,
    authTime: Math.floor(now),
    sid: typeof subject["sid"] === "string" ? subject["sid"] : "",
    endsAt: now + 86_400,
  };
  const scopes = grantedScopes(asked, call.decision?.scopes ?? []);
  return entraAnswer(parts, {
    login,
    client,
    asked,
    scopes,
    tenant,
    headers: request.headers,
    clientInfo: request.params.one("client_info") === "1",
    refresh: () => logins.newRefresh(login),
  });
}

/** Makes the question that the pipeline asks of the access policy. An application needs no rule for itself. */
export function questionTo(
  resource: EntraRegistered | undefined,
  client: EntraCaller,
  about: { grant: string; subject?: Record<string, unknown>; scope?: readonly string[] },
): { question?: { actor: string; target: string; grant: string } } {
  const own = resource?.id === client.id && about.grant !== grantTypes.clientCredentials;
  if (resource === undefined || own) return {};
  return { question: { actor: client.registration.name, target: resource.registration.name, ...about } };
}

export interface EntraAnswer {
  readonly login: Login;
  readonly client: EntraCaller;
  readonly asked: AskedScopes;
  readonly scopes: readonly string[];
  readonly tenant: Tenant;
  readonly headers: Headers;
  readonly clientInfo: boolean;
  readonly refresh: () => string;
}

/** The token endpoint's answer for a person: access token, and by scope an ID token and a refresh token. */
export async function entraAnswer(parts: Parts, context: EntraAnswer): Promise<TokenAnswer> {
  const { login, client, asked, scopes, tenant, headers } = context;
  const about = { client, azpacr: client.azpacr, resource: asked.resource, tenant };
  const claims = userClaims(parts, about, {
    person: login.person,
    scopes,
    sid: login.sid === "" ? undefined : login.sid,
  });
  const prefix = asked.resource === undefined ? "" : `api://${asked.resource.id}/`;
  const accessToken = await parts.signing.sign(claims, occasionOf("access_token", client, headers));
  const idToken = asked.openid.includes("openid")
    ? {
        id_token: await parts.signing.sign(
          idClaims(parts, login, client),
          occasionOf("id_token", client, headers),
        ),
      }
    : {};
  const clientInfo = Buffer.from(
    JSON.stringify({ uid: login.person.claims["oid"], utid: tenant.id }),
  ).toString("base64url");
  return {
    token_type: "Bearer",
    scope: [
      ...new Set([
        ...asked.openid.filter((one) => one !== "offline_access"),
        ...scopes.map((scope) => prefix + scope),
      ]),
    ].join(" "),
    expires_in: tokenSeconds - 1,
    ext_expires_in: tokenSeconds - 1,
    access_token: accessToken,
    ...(asked.openid.includes("offline_access") ? { refresh_token: context.refresh() } : {}),
    ...idToken,
    ...(context.clientInfo ? { client_info: clientInfo } : {}),
  };
}

/** What a login's access token is for: the resource of the scopes that are asked for now, or were at sign-in. */
export function askedAtToken(directory: Directory, login: Login, asked: Asked, tenant: Tenant): AskedScopes {
  const atSignIn = askedScopes(directory, login.scope, tenant);
  if (asked.scope === undefined) return atSignIn;
  const now = askedScopes(directory, asked.scope, tenant);
  return now.resource === undefined
    ? { ...atSignIn, openid: now.openid.length === 0 ? atSignIn.openid : now.openid }
    : { ...now, openid: [...new Set([...now.openid, ...atSignIn.openid])] };
}

function occasionOf(token: Occasion["token"], client: EntraCaller, headers: Headers): Occasion {
  return { provider: "entra", token, clientId: client.id, test: headers.get("x-standin-test") ?? undefined };
}

/** How the client proved itself in this request. */
export function methodOf(request: TokenRequest): ReturnType<typeof readCredentials>["method"] {
  return readCredentials(request).method;
}

/**
 * Judges the assertion of an on-behalf-of request.
 *
 * Checks: that this tenant signed it, that the caller is its audience, its times; that it is an access token of a person.
 * Throws: AADSTS50013, 500131, 500133, 240002, 7000114.
 */
async function subjectOf(
  { parts, tenant }: EntraGrants,
  assertion: string,
  client: EntraCaller,
): Promise<JwtClaims> {
  const result = await verifyJwt(
    assertion,
    {
      issuer: issuerOf(parts.base, tenant),
      audience: [client.id, `api://${client.id}`],
      keys: parts.signing.keySet,
      algorithms: ["RS256"],
      toleranceSeconds: 0,
    },
    parts.now,
  );
  if (!result.ok) throw assertionError(result.refusal, assertion, client);
  const { claims } = result.token;
  if (claims["idtyp"] === "app")
    throw entraError(7000114, "Application is not allowed to make application on-behalf-of calls.");
  if (typeof claims["scp"] !== "string")
    throw entraError(
      240002,
      "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.",
    );
  return { ...claims };
}

function assertionError(refusal: TokenRefusal, assertion: string, client: EntraCaller): ProtocolError {
  if (refusal.code === "wrong_audience") {
    const aud = peekJwt(assertion)?.claims.aud;
    return entraError(
      500131,
      `Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '${[aud ?? ""].flat().join(" ").slice(0, 200)}' and the expected audience is '${client.id}' or one of the Application Uris of this application with App ID '${client.id}'.`,
    );
  }
  if (refusal.code === "expired" || refusal.code === "not_yet_valid")
    return entraError(
      500133,
      "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token.",
    );
  return entraError(50013, `Assertion failed signature validation. [Reason - ${refusal.message}.]`);
}

/** The person of a subject token: as she signed in, or as the personas file knows her, or as the token says. */
function personBehind({ people, parts, directory }: EntraGrants, subject: JwtClaims): Person {
  const oid = textOf(subject["oid"]);
  const known = people.get(oid);
  if (known !== undefined) return known;
  const employee = parts.personas.employees
    .map((one) => personOf(one, directory()))
    .find((person) => person.claims["oid"] === oid);
  if (employee !== undefined) return employee;
  const { name, preferred_username, NAVident, groups, tid } = subject;
  return {
    id: oid,
    name: textOf(name),
    tenant: textOf(tid),
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === "string") : [],
    claims: { oid, name, preferred_username, ...(NAVident === undefined ? {} : { NAVident }) },
  };
}

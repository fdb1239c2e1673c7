import { createHash, randomBytes } from "node:crypto";
import type { JwtClaims } from "@portvakt/oauth";
import type { Login, Person } from "../signin/logins.ts";
import { personalClaims, textOf, type Parts } from "../standin.ts";
import type { EntraRegistered, Tenant } from "./directory.ts";

/** Tokens are dated back, so that clocks may differ. */
const backdatedSeconds = 300;
/** Life of a token from now, in seconds. */
export const tokenSeconds = 3600;
/** With more groups than this there is no `groups` claim but a pointer (group overage). */
const maxGroups = 200;

/** How a client proved itself, as `azpacr` says it: 0 public, 1 secret, 2 certificate or assertion. */
export const azpacrOf = {
  none: "0",
  client_secret_basic: "1",
  client_secret_post: "1",
  private_key_jwt: "2",
} as const;

export interface AccessTokenFor {
  readonly client: EntraRegistered;
  readonly azpacr: string;
  /** The receiver; absent = Microsoft Graph, whose tokens are none of the client's business. */
  readonly resource: EntraRegistered | undefined;
  readonly tenant: Tenant;
}

export const graphResource = "00000003-0000-0000-c000-000000000000";

/** The issuer of v2.0 tokens of a tenant. */
export function issuerOf(base: string, tenant: Tenant): string {
  return `${base}/${tenant.id}/v2.0`;
}

/** The claims of a token that an application gets for itself (client credentials). */
export function applicationClaims(
  parts: Pick<Parts, "base" | "now">,
  about: AccessTokenFor,
  roles: readonly string[],
): JwtClaims {
  const { client } = about;
  return {
    ...commonClaims(parts, about.tenant),
    aud: about.resource?.id ?? graphResource,
    azp: client.id,
    azp_name: client.registration.name,
    azpacr: about.azpacr,
    idtyp: "app",
    oid: client.objectId,
    roles: [...new Set(["access_as_application", ...roles])],
    sub: client.objectId,
  };
}

/** The claims of an access token on behalf of a person. */
export function userClaims(
  parts: Pick<Parts, "base" | "now">,
  about: AccessTokenFor,
  user: { person: Person; scopes: readonly string[]; sid: string | undefined },
): JwtClaims {
  const { client, resource } = about;
  return {
    ...personalClaims(user.person.claims),
    ...(resource === undefined ? {} : groupsClaim(parts, user.person, resource)),
    ...commonClaims(parts, about.tenant),
    aud: resource?.id ?? graphResource,
    azp: client.id,
    azp_name: client.registration.name,
    azpacr: about.azpacr,
    scp: user.scopes.join(" "),
    ...(user.sid === undefined ? {} : { sid: user.sid }),
    sub: pairwiseSubject(user.person, resource?.id ?? graphResource),
  };
}

/** The claims of an ID token. */
export function idClaims(
  parts: Pick<Parts, "base" | "now">,
  login: Login,
  client: EntraRegistered,
): JwtClaims {
  return {
    ...personalClaims(login.person.claims),
    ...groupsClaim(parts, login.person, client),
    ...commonClaims(parts, client.tenant),
    aud: client.id,
    ...(login.nonce === undefined ? {} : { nonce: login.nonce }),
    sid: login.sid,
    sub: pairwiseSubject(login.person, client.id),
  };
}

/** What every v2.0 token has. `aio`, `rh` and `uti` are Entra ID's own; nobody else reads them. */
function commonClaims(parts: Pick<Parts, "base" | "now">, tenant: Tenant): JwtClaims {
  const now = Math.floor(parts.now());
  return {
    iss: issuerOf(parts.base, tenant),
    iat: now - backdatedSeconds,
    nbf: now - backdatedSeconds,
    exp: now + tokenSeconds,
    aio: randomBytes(27).toString("base64url"),
    rh: `0.${randomBytes(24).toString("base64url")}.`,
    tid: tenant.id,
    uti: randomBytes(16).toString("base64url"),
    ver: "2.0",
  };
}

/** The groups that were assigned to the application, of those that the person is in; or where to ask for them. */
function groupsClaim(parts: Pick<Parts, "base">, person: Person, application: EntraRegistered): JwtClaims {
  const { groups: assigned, group_membership_claims: which } = application.registration;
  const all = person.groups ?? [];
  const groups = which === "SecurityGroup" ? all : all.filter((group) => assigned.includes(group));
  if (groups.length === 0) return {};
  if (groups.length <= maxGroups) return { groups };
  const oid = textOf(person.claims["oid"]);
  return {
    _claim_names: { groups: "src1" },
    _claim_sources: { src1: { endpoint: `${parts.base}/v1.0/users/${oid}/getMemberObjects` } },
  };
}

/** Another `sub` for the same person in every application. */
/** The same person has another `sub` at every application. */
export function pairwiseSubject(person: Person, application: string): string {
  return createHash("sha256")
    .update(`${application}\n${textOf(person.claims["oid"])}`)
    .digest("base64url");
}

import { entraError } from "./errors.ts";
import type { Directory, EntraRegistered, Tenant } from "./directory.ts";

const openidScopes: ReadonlySet<string> = new Set(["openid", "profile", "email", "offline_access"]);

/** Scopes taken apart: OpenID Connect's own, the one resource that the others are of, and their names at it. */
export interface AskedScopes {
  readonly openid: readonly string[];
  /** Absent when no resource was named: the token is for Microsoft Graph. */
  readonly resource: EntraRegistered | undefined;
  /** Scope names at the resource; `.default` among them. */
  readonly names: readonly string[];
}

/**
 * Takes scopes apart. Throws: AADSTS28000 for several resources, AADSTS500011 for a resource that is not in the tenant.
 */
export function askedScopes(directory: Directory, scope: readonly string[], tenant: Tenant): AskedScopes {
  const openid = scope.filter((one) => openidScopes.has(one));
  const others = scope.filter((one) => !openidScopes.has(one));
  const parsed = others.map((one) => ({
    resource: one.slice(0, Math.max(0, one.lastIndexOf("/"))),
    name: one.slice(one.lastIndexOf("/") + 1),
  }));
  const named = [...new Set(parsed.map((one) => one.resource))].filter((name) => !isGraph(name));
  if (named.length > 1)
    throw entraError(
      28000,
      "Provided value for the input parameter scope is not valid because it contains more than one resource.",
    );
  const [name] = named;
  if (name === undefined) return { openid, resource: undefined, names: parsed.map((one) => one.name) };
  const resource = directory.resource(name, tenant);
  if (resource === undefined)
    throw entraError(
      500011,
      `The resource principal named ${name.slice(0, 200)} was not found in the tenant named ${tenant.domain}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
    );
  return { openid, resource, names: parsed.map((one) => one.name) };
}

function isGraph(resource: string): boolean {
  return resource === "" || resource === "https://graph.microsoft.com";
}

/** The scopes that a token tells of: what the access policy gives, beside the one that every admitted caller has. */
export function grantedScopes(asked: AskedScopes, given: readonly string[]): readonly string[] {
  if (asked.resource === undefined)
    return ["openid", "profile", "email", "User.Read"].filter(
      (one) => one === "User.Read" || asked.openid.includes(one),
    );
  const all = [...new Set(["defaultaccess", ...given])];
  return asked.names.includes(".default") ? all : all.filter((one) => asked.names.includes(one));
}

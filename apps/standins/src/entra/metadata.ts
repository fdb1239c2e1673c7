import type { Visit } from "../app.ts";
import { issuerOf } from "./claims.ts";
import { anyTenant, type Directory } from "./directory.ts";
import { entraError } from "./errors.ts";

/** The discovery document of a tenant; that of `common` and `organizations` has the placeholder `{tenantid}` in its issuer. */
export function entraMetadata(base: string, name: string, directory: Directory): Record<string, unknown> {
  const tenant = directory.tenant(name);
  if (tenant === undefined && !anyTenant.has(name))
    throw entraError(90002, `Tenant '${name.slice(0, 64)}' not found.`);
  const path = `${base}/${tenant?.id ?? name}`;
  return {
    token_endpoint: `${path}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${path}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: tenant === undefined ? `${base}/{tenantid}/v2.0` : issuerOf(base, tenant),
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${base}/oidc/userinfo`,
    authorization_endpoint: `${path}/oauth2/v2.0/authorize`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${path}/oauth2/v2.0/logout`,
    claims_supported: [
      "sub",
      "iss",
      "aud",
      "exp",
      "iat",
      "nonce",
      "preferred_username",
      "name",
      "tid",
      "ver",
      "oid",
      "sid",
    ],
    code_challenge_methods_supported: ["S256"],
    tenant_region_scope: "EU",
  };
}

/** Instance discovery, which Microsoft's libraries ask of a host that they do not know. */
export function instanceDiscovery(base: string, visit: Visit): Response {
  const { host } = new URL(base);
  const tenant =
    /^https?:\/\/[^/]+\/([^/]+)\//.exec(visit.params.one("authorization_endpoint") ?? "")?.[1] ?? "common";
  return Response.json({
    tenant_discovery_endpoint: `${base}/${encodeURIComponent(tenant)}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}

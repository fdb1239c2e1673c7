import { Fault } from "../errors.ts";
import { fetchJson } from "./answer.ts";

/** Authorization server metadata (RFC 8414 section 2, OpenID Connect Discovery section 3), by wire names. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly jwks_uri?: string;
  readonly userinfo_endpoint?: string;
  readonly end_session_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly introspection_endpoint?: string;
  readonly registration_endpoint?: string;
  readonly pushed_authorization_request_endpoint?: string;
  readonly require_pushed_authorization_requests?: boolean;
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly acr_values_supported?: readonly string[];
  readonly ui_locales_supported?: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly grant_types_supported?: readonly string[];
  readonly response_types_supported?: readonly string[];
  readonly response_modes_supported?: readonly string[];
  readonly subject_types_supported?: readonly string[];
  readonly claims_supported?: readonly string[];
  readonly code_challenge_methods_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported?: readonly string[];
  readonly id_token_signing_alg_values_supported?: readonly string[];
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly frontchannel_logout_supported?: boolean;
  readonly frontchannel_logout_session_supported?: boolean;
  readonly backchannel_logout_supported?: boolean;
  readonly backchannel_logout_session_supported?: boolean;
  readonly [member: string]: unknown;
}

/** The address of an issuer's OpenID configuration (OpenID Connect Discovery section 4.1). */
export function openidConfigurationUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** The address of an issuer's RFC 8414 metadata: the well-known part goes before the issuer's path (section 3.1). */
export function authorizationServerMetadataUrl(issuer: string): string {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, "");
  return `${url.origin}/.well-known/oauth-authorization-server${path}`;
}

/**
 * Fetches a server's metadata document.
 *
 * Checks: status, size (default 64 KiB), `issuer` is there and, when `expectIssuer` is given, equal to it (RFC 8414 section
 * 3.3); every endpoint, and `jwks_uri`, is an http or https URL. Does not check: that endpoints share the issuer's origin (they need not).
 * Throws: Fault `unreachable`, `bad_response`, `too_large`, `issuer_mismatch`.
 */
export async function fetchMetadata(options: {
  readonly url: string;
  readonly expectIssuer?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly timeoutSeconds?: number;
  readonly maxBytes?: number;
}): Promise<ServerMetadata> {
  const { url, expectIssuer, timeoutSeconds = 5, maxBytes = 65_536 } = options;
  const document = await fetchJson(url, { fetch: options.fetch, timeoutSeconds, maxBytes });
  const { issuer } = document;
  if (typeof issuer !== "string" || issuer === "") throw new Fault("bad_response", `${url} names no issuer`);
  if (expectIssuer !== undefined && issuer !== expectIssuer) {
    throw new Fault(
      "issuer_mismatch",
      `${url} names the issuer "${issuer.slice(0, 200)}", not "${expectIssuer}"`,
    );
  }
  // RFC 8414 section 3.2: what has no value should not be there, and means nothing where it is.
  const members = Object.entries(document).filter(([, value]) => value !== null);
  const bad = members.find(([name, value]) => /_endpoint$|^jwks_uri$/.test(name) && !isWebUrl(value));
  if (bad !== undefined) throw new Fault("bad_response", `${url}: ${bad[0]} is not a URL`);
  return { ...Object.fromEntries(members), issuer };
}

function isWebUrl(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

import { signatureAlgorithms } from "@portvakt/oauth";
import { providerNamed, providerNames } from "./providers.ts";
import type { ProviderAlias } from "./providers.ts";
import type { SdkSettings } from "./settings.ts";

/** What an API says of itself to clients that meet it for the first time (RFC 9728 section 2). */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ["header"];
  readonly scopes_supported?: readonly string[];
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly dpop_bound_access_tokens_required?: true;
  readonly resource_name?: string;
  readonly resource_documentation?: string;
}

export interface MetadataOptions {
  /** The API's identifier: an https address without a fragment (RFC 9728 section 1.2). */
  readonly resource: string;
  readonly scopes?: readonly string[];
  /** Its name, for people. */
  readonly name?: string;
  readonly documentation?: string;
  /** Whether it takes tokens that are bound to a key (RFC 9449), or no others; as `requireToken` is told with `dpop`. */
  readonly dpop?: "supported" | "required";
  /** The providers whose tokens it accepts; left out: all that are set up. */
  readonly providers?: readonly ProviderAlias[];
}

/**
 * The metadata document of an API, to be served at `/.well-known/oauth-protected-resource` (with the path of `resource`
 * after it, section 3.1); name that address as `resourceMetadata` of `requireToken`.
 *
 * *Checks*: nothing; providers that are not set up are left out. *Throws*: nothing.
 */
export function resourceMetadata(options: MetadataOptions, settings: SdkSettings): ProtectedResourceMetadata {
  const { resource, scopes, name, documentation, dpop, providers = providerNames } = options;
  const issuers = providers.flatMap((given) => {
    const name = providerNamed(given);
    const known = name && settings.providers[name];
    return known === undefined || "missing" in known ? [] : [known.issuer];
  });
  return {
    resource,
    authorization_servers: issuers,
    bearer_methods_supported: ["header"],
    ...(scopes !== undefined && { scopes_supported: scopes }),
    ...(dpop !== undefined && { dpop_signing_alg_values_supported: Object.keys(signatureAlgorithms) }),
    ...(dpop === "required" && { dpop_bound_access_tokens_required: true }),
    ...(name !== undefined && { resource_name: name }),
    ...(documentation !== undefined && { resource_documentation: documentation }),
  };
}

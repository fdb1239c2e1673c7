import type { PublicJwk } from "./keys/signing-keys.ts";

export interface MetadataOptions {
  readonly issuer: string;
  /** Endpoint members by their wire name without `_endpoint`, as absolute URLs or paths below the issuer. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly jwksUri: string;
  readonly grantTypes: readonly string[];
  readonly authMethods: readonly string[];
  readonly authAlgorithms: readonly string[];
  /** Members as they are. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An authorization server's metadata (RFC 8414 section 2). Only what exists is named in it. */
export function metadataDocument(options: MetadataOptions): Record<string, unknown> {
  const at = (place: string): string =>
    place.startsWith("/") ? options.issuer.replace(/\/$/, "") + place : place;
  return {
    issuer: options.issuer,
    ...Object.fromEntries(
      Object.entries(options.endpoints).map(([name, place]) => [`${name}_endpoint`, at(place)]),
    ),
    jwks_uri: at(options.jwksUri),
    grant_types_supported: options.grantTypes,
    token_endpoint_auth_methods_supported: options.authMethods,
    token_endpoint_auth_signing_alg_values_supported: options.authAlgorithms,
    ...options.more,
  };
}

/** Serves a public JSON document that may be cached for a while (seconds; absent = 300). */
export function documentHandler(read: () => unknown, maxAgeSeconds = 300): () => Response {
  return () => Response.json(read(), { headers: { "cache-control": `public, max-age=${maxAgeSeconds}` } });
}

/** Serves a key set (RFC 7517 section 5), with its own media type. */
export function jwksHandler(read: () => { keys: PublicJwk[] }, maxAgeSeconds = 300): () => Response {
  return () =>
    Response.json(read(), {
      headers: {
        "cache-control": `public, max-age=${maxAgeSeconds}`,
        "content-type": "application/jwk-set+json",
      },
    });
}

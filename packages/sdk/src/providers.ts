import type { JwtClaims, SignatureAlgorithm } from "@portvakt/oauth";

/** Who a token speaks for: a person, or an application on its own. `undefined` where the token does not say. */
export type CallerKind = "user" | "machine";

interface ProviderRow {
  /** Other names in use. */
  readonly aliases: readonly string[];
  /** The variables that the platform sets. */
  readonly variables: { readonly issuer: string; readonly jwksUri: string; readonly audience: string };
  /** Maskinporten's tokens have no audience unless one was asked for. */
  readonly audience: "required" | "optional";
  readonly algorithms: readonly SignatureAlgorithm[];
  /** A claim that every access token of the provider has and no ID token (RFC 8725 section 3.12). */
  readonly accessTokenClaim: string;
  /** The claim with the scopes: words with spaces between. */
  readonly scopeClaim: string;
  /** The claim with the id of the calling application. */
  readonly clientClaim: string;
  readonly kind: (claims: Readonly<JwtClaims>) => CallerKind | undefined;
}

const rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;

/** The providers whose tokens the SDK knows: one row each, with what sets their tokens apart. */
const tokenProviders = {
  idporten: {
    aliases: [],
    variables: { issuer: "IDPORTEN_ISSUER", jwksUri: "IDPORTEN_JWKS_URI", audience: "IDPORTEN_AUDIENCE" },
    audience: "required",
    algorithms: rsa,
    accessTokenClaim: "client_id",
    scopeClaim: "scope",
    clientClaim: "client_id",
    kind: () => "user",
  },
  entra_id: {
    aliases: ["azuread", "azure"],
    variables: {
      issuer: "AZURE_OPENID_CONFIG_ISSUER",
      jwksUri: "AZURE_OPENID_CONFIG_JWKS_URI",
      audience: "AZURE_APP_CLIENT_ID",
    },
    audience: "required",
    algorithms: rsa,
    // An Entra ID token has the same audience as an access token for the same application: only this tells them apart.
    accessTokenClaim: "azp",
    scopeClaim: "scp",
    clientClaim: "azp",
    kind: entraKind,
  },
  tokenx: {
    aliases: [],
    variables: { issuer: "TOKEN_X_ISSUER", jwksUri: "TOKEN_X_JWKS_URI", audience: "TOKEN_X_CLIENT_ID" },
    audience: "required",
    algorithms: [...rsa, "ES256", "ES384", "ES512"],
    accessTokenClaim: "client_id",
    scopeClaim: "scope",
    clientClaim: "client_id",
    kind: () => "user",
  },
  maskinporten: {
    aliases: [],
    variables: {
      issuer: "MASKINPORTEN_ISSUER",
      jwksUri: "MASKINPORTEN_JWKS_URI",
      audience: "MASKINPORTEN_AUDIENCE",
    },
    audience: "optional",
    algorithms: rsa,
    accessTokenClaim: "consumer",
    scopeClaim: "scope",
    clientClaim: "client_id",
    kind: () => "machine",
  },
} as const satisfies Record<string, ProviderRow>;

/** The name of a provider, as the token API spells it. */
export type ProviderName = keyof typeof tokenProviders;

/** A provider by its name, or by another one that is in use for it. */
export type ProviderAlias = ProviderName | (typeof tokenProviders)[ProviderName]["aliases"][number];

/** All names, in the table's order. */
export const providerNames: readonly ProviderName[] = Object.keys(tokenProviders) as ProviderName[];

/** The provider that goes by a name; undefined for a name that is none's. */
export function providerNamed(given: string): ProviderName | undefined {
  return providerNames.find((name) => name === given || providerRow(name).aliases.includes(given));
}

/** The row of a provider. */
export function providerRow(name: ProviderName): ProviderRow {
  return tokenProviders[name];
}

/**
 * Entra ID: `idtyp` is `app` for an application on its own; a token for a user has `scp`. A token that says neither, or
 * both, is of no kind, so that no guard lets it pass as one.
 */
function entraKind(claims: Readonly<JwtClaims>): CallerKind | undefined {
  const user = typeof claims["scp"] === "string" && claims["scp"] !== "";
  const machine = claims["idtyp"] === "app" || (!user && Array.isArray(claims["roles"]));
  if (user === machine) return undefined;
  return user ? "user" : "machine";
}

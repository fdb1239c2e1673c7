import {
  anyAudience,
  fetchMetadata,
  remoteKeySet,
  verifyJwt,
  type JwtClaims,
  type KeySet,
} from "@portvakt/oauth";
import type { IntrospectionSettings, Provider } from "@portvakt/providers";

/** An issuer that tokens can be verified of. */
export interface KnownIssuer {
  readonly provider: Provider | undefined;
  readonly issuer: string;
  readonly jwksUri: string;
  /** Its keys, where somebody keeps them; without, they are fetched each time. */
  readonly keys?: KeySet;
}

/** What verifying a token found. `code` is one of the table of token refusals, or a sentence of the provider's own. */
export type Verdict =
  | { readonly verified: true }
  | { readonly verified: false; readonly code: string | undefined; readonly message: string };

/** An issuer that somebody named, by its metadata. No token goes there. `undefined` where no metadata names it and a key set. */
export async function issuerAt(issuer: string): Promise<KnownIssuer | undefined> {
  const base = issuer.replace(/\/$/, "");
  for (const name of ["openid-configuration", "oauth-authorization-server"]) {
    const url = `${base}/.well-known/${name}`;
    const metadata = await fetchMetadata({ url, expectIssuer: issuer }).catch(() => undefined);
    if (metadata?.jwks_uri !== undefined) return { provider: undefined, issuer, jwksUri: metadata.jwks_uri };
  }
  return undefined;
}

const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

/** Verifies an access token of one issuer, for whomever it is where no audience is given. */
export async function verifyWith(
  token: string,
  from: KnownIssuer,
  now: () => number,
  audience: string | typeof anyAudience = anyAudience,
): Promise<Verdict> {
  const keys = from.keys ?? remoteKeySet({ uri: from.jwksUri, now });
  const settings: IntrospectionSettings = { issuer: from.issuer, audience, keys };
  const rules = from.provider?.introspection.rules(settings) ?? { ...settings, algorithms };
  const result = await verifyJwt(token, rules, now);
  if (!result.ok) return { verified: false, ...result.refusal };
  const objection = from.provider?.introspection.objection(result.token);
  return objection === undefined
    ? { verified: true }
    : { verified: false, code: undefined, message: objection };
}

/** The issuer that a token names, among those that are known. */
export function issuerOf(claims: JwtClaims, known: readonly KnownIssuer[]): KnownIssuer | undefined {
  return known.find(({ issuer }) => issuer === claims.iss);
}

import { anyAudience, fetchMetadata, remoteKeySet, verifyJwt, type JwtClaims } from "@portvakt/oauth";
import { providers, type Provider } from "@portvakt/providers";
import type { DevState } from "../running/state.ts";
import { CommandError } from "../failure.ts";

/** An issuer that tokens can be verified of. */
export interface KnownIssuer {
  readonly provider: Provider | undefined;
  readonly issuer: string;
  readonly jwksUri: string;
}

/** What verifying a token found. `code` is one of the table of token refusals, or a sentence of the provider's own. */
export type Verdict =
  | { readonly verified: true }
  | { readonly verified: false; readonly code: string | undefined; readonly message: string };

const rowOf = {
  idporten: providers.idporten,
  entra: providers.entra_id,
  maskinporten: providers.maskinporten,
  tokenx: providers.tokenx,
} as const;

/** The issuers of the platform that runs here. */
export function issuersOf(running: DevState | undefined): readonly KnownIssuer[] {
  if (running === undefined) return [];
  return (["idporten", "entra", "maskinporten", "tokenx"] as const).map((name) => ({
    provider: rowOf[name],
    ...running.providers[name],
  }));
}

/** An issuer that somebody named, by its metadata. The token itself goes nowhere. *Throws*: CommandError. */
export async function namedIssuer(issuer: string): Promise<KnownIssuer> {
  const base = issuer.replace(/\/$/, "");
  for (const name of ["openid-configuration", "oauth-authorization-server"]) {
    const url = `${base}/.well-known/${name}`;
    const metadata = await fetchMetadata({ url, expectIssuer: issuer }).catch(() => undefined);
    if (metadata?.jwks_uri !== undefined) return { provider: undefined, issuer, jwksUri: metadata.jwks_uri };
  }
  throw new CommandError(`${issuer} has no metadata that names it as issuer, and a key set`, {
    hints: ["write the issuer letter by letter as it stands in iss, with or without the slash at its end"],
  });
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

/** Verifies a token of one issuer, for whomever it is: audience is another question. */
export async function verifyWith(token: string, from: KnownIssuer, now: () => number): Promise<Verdict> {
  const keys = remoteKeySet({ uri: from.jwksUri, now });
  const rules =
    from.provider?.introspection.rules({ issuer: from.issuer, audience: anyAudience, keys }) ??
    ({ issuer: from.issuer, audience: anyAudience, keys, algorithms } as const);
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

// Applications with keys, and what they sign. RS256 with 2048 bits throughout, as the comparison asks.
import { createSigner, generatePrivateJwk, publicJwkOf, randomToken } from "@portvakt/oauth";
import type { JWK, Signer } from "@portvakt/oauth";

/** Seconds since the epoch. */
export const now = (): number => Date.now() / 1000;

export interface Identity {
  readonly privateJwk: JWK;
  readonly publicJwk: JWK & { readonly kty: string };
  readonly signer: Signer;
}

/** A new key. */
export async function createIdentity(): Promise<Identity> {
  const privateJwk = await generatePrivateJwk("RS256");
  const publicJwk = { ...publicJwkOf(privateJwk), kty: "RSA" };
  return { privateJwk, publicJwk, signer: await createSigner(privateJwk) };
}

/** `iat`, `nbf`, `exp` and a `jti` of its own. */
export function freshClaims(lifetimeSeconds: number): { iat: number; nbf: number; exp: number; jti: string } {
  const iat = Math.floor(now());
  return { iat, nbf: iat, exp: iat + lifetimeSeconds, jti: randomToken() };
}

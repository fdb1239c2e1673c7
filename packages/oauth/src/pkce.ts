import { equalConstantTime, randomToken, sha256 } from "./random.ts";

/** A proof key for one authorization request, RFC 7636. */
export interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
  readonly method: "S256";
}

/** Makes a verifier with 256 bits of entropy and its S256 challenge (RFC 7636 sections 4.1 and 4.2). */
export async function createPkce(): Promise<Pkce> {
  const verifier = randomToken(32);
  return { verifier, challenge: await sha256(verifier), method: "S256" };
}

/**
 * Judges a `code_verifier` against the challenge of the authorization request (RFC 7636 section 4.6). Only S256.
 *
 * Checks: the verifier's length and alphabet (section 4.1), the hash. Does not check: that PKCE was asked for.
 */
export async function verifyPkce(verifier: string, challenge: string): Promise<boolean> {
  return /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) && equalConstantTime(await sha256(verifier), challenge);
}

import { randomToken, sha256, type Clock, type Signer } from "@portvakt/oauth";

/** What a proof is about: one request, and the access token that goes with it at a resource server. */
export interface ProofSubject {
  readonly method: string;
  readonly url: string;
  readonly accessToken?: string;
  /** The value that the server asked for with `DPoP-Nonce` (RFC 9449 section 8). */
  readonly nonce?: string;
}

export type MakeProof = (subject: ProofSubject) => Promise<string>;

/** Makes DPoP proofs with one key (RFC 9449 section 4.2). Each has its own `jti`; `htu` is without query and fragment. */
export function createProofMaker({ signer, now }: { signer: Signer; now: Clock }): MakeProof {
  const { kty, crv, x, y, n, e } = signer.publicJwk;
  const members = { kty, crv, x, y, n, e };
  const jwk = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  return async ({ method, url, accessToken, nonce }) => {
    const claims = {
      jti: randomToken(16),
      htm: method,
      htu: url.replace(/[?#].*$/s, ""),
      iat: Math.floor(now()),
      ...(accessToken === undefined ? {} : { ath: await sha256(accessToken) }),
      ...(nonce === undefined ? {} : { nonce }),
    };
    return signer.sign(claims, { typ: "dpop+jwt", jwk });
  };
}

import { judgeDpopProof } from "@portvakt/oauth";
import type { Clock, JwtClaims } from "@portvakt/oauth";
import { refused } from "../result.ts";
import type { Refused } from "../result.ts";
import type { DpopNonces } from "./nonces.ts";
import { createProofMemory } from "./used-proofs.ts";

/** What came with a token that is bound to a key (RFC 9449 section 7.1). */
export interface PossessionProof {
  /** The `DPoP` header. */
  readonly proof: string;
  /** The request's method. */
  readonly method: string;
  /** The request's address as clients reach it, without query and fragment. Not from a header that the caller chose. */
  readonly url: string;
  /** The nonces of which one must be in the proof (section 9); left out: none is asked for. */
  readonly nonces?: DpopNonces;
}

export type JudgeBinding = (
  token: string,
  claims: Readonly<JwtClaims>,
  proof: PossessionProof | undefined,
) => Promise<Refused | undefined>;

/** Seconds that a proof's `iat` may be off. */
const windowSeconds = 60;

/**
 * Makes the check that a token and the proof beside it belong together. `undefined` means that they do.
 *
 * *Checks*: that a bound token (`cnf`) has a proof and an unbound one has none; the proof (RFC 9449 section 4.3) for this method,
 * address and token; that its key is the one in `cnf.jkt`; its nonce, where one is wanted; that it did not come before, to this process.
 * *Does not check*: replay at other replicas, within the minute that a proof lives. *Throws*: nothing.
 */
export function createJudgeBinding(now: Clock, rememberedProofs = 100_000): JudgeBinding {
  // A proof lives from `iat - window` to `iat + window`, so twice the window from now outlives it.
  const claim = createProofMemory(now, 2 * windowSeconds, rememberedProofs);
  return async (token, claims, proof) => {
    const { cnf } = claims;
    if (proof === undefined) {
      if (cnf === undefined) return undefined;
      const message = "the token is bound to a key (cnf), so it may not be used as a plain bearer token";
      return refused("sender_constrained", message);
    }
    const bound = typeof cnf === "object" && cnf !== null ? (cnf as { jkt?: unknown }).jkt : undefined;
    if (typeof bound !== "string") return refused("bad_proof", "the token is not bound to a key (cnf.jkt)");
    const { method, url, nonces } = proof;
    const judged = await judgeDpopProof(proof.proof, { method, url, accessToken: token, windowSeconds }, now);
    if (!judged.ok) return refused("bad_proof", `the DPoP proof is refused: ${judged.message}`);
    if (judged.jkt !== bound)
      return refused("bad_proof", "the DPoP proof is by another key than the token's");
    if (nonces !== undefined && !(await nonces.accepts(judged.nonce)))
      return refused("no_nonce", "the DPoP proof has no nonce of this application's, or an old one");
    const claimed = claim(judged.jkt, judged.jti);
    if (claimed === "used") return refused("bad_proof", "the DPoP proof was used before");
    if (claimed === "full") return refused("too_many_proofs", "too many DPoP proofs are being remembered");
    return undefined;
  };
}

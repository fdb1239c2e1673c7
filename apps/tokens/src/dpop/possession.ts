import { judgeDpopProof, type Clock } from "@portvakt/oauth";
import type { IntrospectRequest } from "../schemas.ts";
import { inactive, type Judgement } from "../validate/judgement.ts";

/** Judges whether a valid token came from who holds its key. Undefined where nothing is wrong. */
export type JudgePossession = (
  request: Pick<IntrospectRequest, "token" | "dpop" | "binding_checked">,
  cnf: unknown,
) => Promise<Judgement | undefined>;

/** Seconds that a proof's `iat` may be off. */
const windowSeconds = 60;

/**
 * Makes the check that a token and the proof beside it belong together (RFC 9449 sections 4.3 and 7.1).
 *
 * Checks: that a bound token (`cnf`) has a proof, unless the caller says that it checks that itself; that an unbound one has
 * none; the proof, for this method, address and token; that its key is the one in `cnf.jkt`; that it did not come before.
 * Does not check: a nonce of the application's (section 9); replay at other replicas, within the minute that a proof lives.
 */
export function createJudgePossession(now: Clock, maxRemembered = 100_000): JudgePossession {
  const seen = new Map<string, number>();
  /** Remembers a proof. Undefined when it is new; else why it may not be taken. */
  const objection = (id: string): string | undefined => {
    for (const [old, until] of seen) {
      if (until > now()) break;
      seen.delete(old);
    }
    if (seen.has(id)) return "the DPoP proof was used before";
    if (seen.size >= maxRemembered) return "too many DPoP proofs are being remembered";
    // A proof lives from `iat - window` to `iat + window`, so twice the window from now outlives it.
    seen.set(id, now() + 2 * windowSeconds);
    return undefined;
  };
  return async ({ token, dpop, binding_checked: isChecked }, cnf) => {
    if (!dpop) {
      if (cnf === undefined || isChecked === true) return undefined;
      const error =
        "the token is bound to a key (cnf), so it may not be used as a plain bearer token: send the proof that came with it in dpop";
      return inactive("sender_constrained", error);
    }
    const bound = typeof cnf === "object" && cnf !== null ? (cnf as { jkt?: unknown }).jkt : undefined;
    if (typeof bound !== "string")
      return inactive("bad_proof", "the token came with a DPoP proof, and is not bound to a key (cnf.jkt)");
    const { method, proof } = dpop;
    const url = dpop.url.replace(/[?#].*$/s, "");
    const judged = await judgeDpopProof(proof, { method, url, accessToken: token, windowSeconds }, now);
    if (!judged.ok) return inactive("bad_proof", `the DPoP proof is refused: ${judged.message}`);
    if (judged.jkt !== bound)
      return inactive("bad_proof", "the DPoP proof is by another key than the token's");
    const again = objection(`${judged.jkt} ${judged.jti}`);
    return again === undefined ? undefined : inactive("bad_proof", again);
  };
}

import type { ClaimOnce, TokenRequest } from "@portvakt/issuer";
import { judgeDpopProof, ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";

export interface ProofOptions {
  /** The token endpoint as clients reach it: what `htu` must be. */
  readonly url: string;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
}

/** Gives the thumbprint of the key that the request proves to hold; undefined when it brings no proof. */
export type JudgeProof = (request: TokenRequest) => Promise<string | undefined>;

const windowSeconds = 60;

/**
 * Makes the judge of DPoP proofs at the token endpoint (RFC 9449 sections 4.3 and 5).
 * *Checks* what `judgeDpopProof` checks, that there is one proof, and that its jti is new.
 * *Does not check* whether the target wants bound tokens. *Throws* ProtocolError invalid_dpop_proof.
 */
export function proofJudge({ url, claimJti, now }: ProofOptions): JudgeProof {
  return async ({ headers, method }) => {
    const proof = headers.get("dpop");
    if (proof === null) return undefined;
    // Two header lines arrive joined by a comma, which no JWT contains: judged as one, they are no JWT.
    const result = await judgeDpopProof(proof, { method, url, windowSeconds }, now);
    if (!result.ok) throw refused(result.message);
    const { jkt, jti } = result;
    if (!(await claimJti(`dpop\n${jkt}\n${jti}`, now() + 2 * windowSeconds)))
      throw refused("it was used before");
    return jkt;
  };
}

function refused(why: string): ProtocolError {
  return new ProtocolError("invalid_dpop_proof", `the DPoP proof is refused: ${why}`);
}

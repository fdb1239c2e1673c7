import type { ClaimOnce, TokenRequest } from "@portvakt/issuer";
import { judgeDpopProof, ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import type { Application } from "../registry/registration.ts";

export interface ProofOptions {
  /** The token endpoint as clients reach it: what `htu` must be. */
  readonly url: string;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
}

/** Gives the thumbprint of the key that the proof is made by. */
export type JudgeProof = (proof: string, request: TokenRequest, client: Application) => Promise<string>;

const windowSeconds = 60;

/** The proof that a request brings. *Throws* ProtocolError invalid_request for clients that are registered for it and bring none. */
export function proofOf(headers: Headers, client: Application): string | undefined {
  const proof = headers.get("dpop") ?? undefined;
  // RFC 9449 section 5.2: so that a thief of the client's key needs the proof's key, too.
  if (proof === undefined && client.registration.dpopBound === true)
    throw new ProtocolError("invalid_request", "this client is registered for tokens bound by DPoP only");
  return proof;
}

/**
 * Makes the judge of DPoP proofs at the token endpoint (RFC 9449 sections 4.3 and 5).
 * *Checks* what `judgeDpopProof` checks, that there is one proof, and that its jti is new.
 * *Does not check* whether the target wants bound tokens. *Throws* ProtocolError invalid_dpop_proof.
 */
export function proofJudge({ url, claimJti, now }: ProofOptions): JudgeProof {
  return async (proof, { method }, client) => {
    // Two header lines arrive joined by a comma, which no JWT contains: judged as one, they are no JWT.
    const result = await judgeDpopProof(proof, { method, url, windowSeconds }, now);
    if (!result.ok) throw refused(result.message);
    const { jkt, jti } = result;
    if (!(await claimJti(`dpop\n${jkt}\n${jti}`, now() + 2 * windowSeconds, client.id)))
      throw refused("it was used before");
    return jkt;
  };
}

function refused(why: string): ProtocolError {
  return new ProtocolError("invalid_dpop_proof", `the DPoP proof is refused: ${why}`);
}

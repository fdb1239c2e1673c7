import type { ClaimOnce, TokenRequest } from "@portvakt/issuer";
import { ProtocolError, signatureAlgorithms } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from "jose";
import type { JWTPayload } from "jose";

export interface ProofOptions {
  /** The token endpoint as clients reach it: what `htu` must be. */
  readonly url: string;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
}

/** Gives the thumbprint of the key that the request proves to hold; undefined when it brings no proof. */
export type JudgeProof = (request: TokenRequest) => Promise<string | undefined>;

/** How old, or how far ahead, a proof may be: seconds. */
const windowSeconds = 60;
const maxProofLength = 8_192;

/**
 * Makes the judge of DPoP proofs at the token endpoint (RFC 9449 section 4.3).
 * *Checks* that there is one proof, its typ, an asymmetric alg, the signature by the public key that it brings, htm, htu, iat within
 * a minute, and that its jti is new. *Does not check* `ath`, which has no meaning here. *Throws* ProtocolError invalid_dpop_proof.
 */
export function proofJudge(options: ProofOptions): JudgeProof {
  const algorithms = Object.keys(signatureAlgorithms);
  return async ({ headers, method }) => {
    const proof = headers.get("dpop");
    if (proof === null) return undefined;
    // Two header lines arrive joined by a comma, which no JWT contains.
    if (proof.includes(",") || proof.length > maxProofLength) throw refused("there must be one proof");
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: "dpop+jwt",
      algorithms,
    }).catch(() => {
      throw refused("its form or its signature is wrong");
    });
    const { jwk } = protectedHeader;
    if (jwk === undefined || "d" in jwk) throw refused("it must bring a public key");
    judgeClaims(payload, method, options);
    const jkt = await calculateJwkThumbprint(jwk);
    const until = options.now() + 2 * windowSeconds;
    if (!(await options.claimJti(`dpop\n${jkt}\n${payload.jti}`, until))) throw refused("it was used before");
    return jkt;
  };
}

function judgeClaims(payload: JWTPayload, method: string, { url, now }: ProofOptions): void {
  const { htm, htu, iat, jti } = payload;
  if (htm !== method) throw refused("its htm is another method");
  if (typeof htu !== "string" || htu.replace(/[?#].*$/, "") !== url)
    throw refused("its htu is another address");
  if (typeof iat !== "number" || Math.abs(now() - iat) > windowSeconds)
    throw refused("its iat is not about now");
  if (typeof jti !== "string" || jti === "" || jti.length > 255) throw refused("its jti is unusable");
}

function refused(why: string): ProtocolError {
  return new ProtocolError("invalid_dpop_proof", `the DPoP proof is refused: ${why}`);
}

import { memoryReplay } from "@portvakt/issuer";
import { judgeDpopProof, ProtocolError, type JwtClaims } from "@portvakt/oauth";
import { backBase } from "../addresses.ts";
import type { Visit } from "../app.ts";
import type { Parts } from "../standin.ts";

/** DPoP (RFC 9449) at one issuer. */
export interface Proofs {
  /** The thumbprint of the key that a token request proves to hold; undefined when it brings no proof. Throws ProtocolError. */
  atToken(headers: Headers): Promise<string | undefined>;
  /** Whether a request to userinfo proves to hold the key that its token is bound to (section 7.1); true for unbound ones. */
  atUserinfo(claims: JwtClaims, token: string, visit: Visit): Promise<boolean>;
}

const windowSeconds = 60;

/** Makes the judge of proofs of one issuer; each proof is good once. */
export function openidProofs(parts: Parts): Proofs {
  const claimOnce = memoryReplay({ now: parts.now });
  const judge = async (
    proof: string,
    about: { method: string; url: string; accessToken?: string },
  ): Promise<{ jkt: string } | { why: string }> => {
    const result = await judgeDpopProof(proof, { ...about, windowSeconds }, parts.now);
    if (!result.ok) return { why: result.message };
    const { jkt, jti } = result;
    const fresh = claimOnce(`${jkt}\n${jti}`, parts.now() + 2 * windowSeconds, jkt);
    return fresh ? { jkt } : { why: "it was used before" };
  };
  return {
    async atToken(headers) {
      const proof = headers.get("dpop");
      if (proof === null) return undefined;
      const result = await judge(proof, { method: "POST", url: `${parts.base}/token` });
      if ("jkt" in result) return result.jkt;
      throw new ProtocolError("invalid_dpop_proof", `the DPoP proof is refused: ${result.why}`);
    },
    async atUserinfo(claims, token, { request }) {
      const bound = (claims["cnf"] as { jkt?: string } | undefined)?.jkt;
      const isDpop = /^dpop /i.test(request.headers.get("authorization") ?? "");
      if (bound === undefined) return !isDpop;
      const proof = request.headers.get("dpop");
      if (proof === null || !isDpop) return false;
      const base = backBase(parts, request.url) ?? parts.base;
      const about = { method: request.method, url: `${base}/userinfo`, accessToken: token };
      const result = await judge(proof, about);
      return "jkt" in result && result.jkt === bound;
    },
  };
}

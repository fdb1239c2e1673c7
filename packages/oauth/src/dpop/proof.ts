import { base64url, calculateJwkThumbprint, type JWK } from "jose";
import type { Clock } from "../clock.ts";
import { sha256 } from "../random.ts";
import { isSignatureAlgorithm } from "../jwt/algorithms.ts";
import { publicJwkOf } from "../jwt/keys.ts";
import { importVerificationKey } from "../jwt/signature.ts";
import { peekJwt } from "../jwt/verify.ts";

/** What a proof must be about. */
export interface ProofExpectations {
  /** The HTTP method of the request that brought it. */
  readonly method: string;
  /** The request's address without query and fragment, as the client reaches it. */
  readonly url: string;
  /** The access token that came with it, at a resource server; absent at a token endpoint. */
  readonly accessToken?: string;
  /** How old, or how far ahead, the proof may be. Default 60. */
  readonly windowSeconds?: number;
}

export type ProofResult =
  | { readonly ok: true; readonly jkt: string; readonly jti: string; readonly nonce?: string }
  | { readonly ok: false; readonly message: string };

const maxLength = 8_192;
const maxJtiLength = 255;

/**
 * Judges a DPoP proof (RFC 9449 section 4.3); `jkt` is the thumbprint of the key that it proves to hold.
 *
 * Checks: size, `typ`, an asymmetric `alg`, that it brings a public key, the signature by that key, `htm`, `htu`, `iat`, the form
 * of `jti`, and `ath` when an access token is given.
 * Does not check: that `jti` is new (the caller remembers it), whose the `nonce` is, that the access token is bound to `jkt`.
 * Throws: nothing; a bad proof is a result.
 */
export async function judgeDpopProof(
  proof: string,
  expected: ProofExpectations,
  now: Clock,
): Promise<ProofResult> {
  const peeked = proof.length > maxLength ? undefined : peekJwt(proof);
  if (peeked === undefined) return refuse("it is not a signed JWT");
  const { typ, alg, jwk, crit } = peeked.header;
  if (typ !== "dpop+jwt" || crit !== undefined) return refuse("its header is not a proof's");
  if (!isSignatureAlgorithm(alg)) return refuse("its alg is not an asymmetric one");
  if (!isPublicKey(jwk)) return refuse("it must bring a public key");
  const [header, payload, signature] = proof.split(".");
  const key = await importVerificationKey(publicJwkOf(jwk), alg).catch(() => undefined);
  if (key === undefined) return refuse("its key cannot be used");
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  if (!(await key.verify(signed, decode(signature)))) return refuse("its signature is wrong");
  const { htm, htu, iat, jti, ath, nonce } = peeked.claims;
  if (htm !== expected.method) return refuse("its htm is another method");
  if (typeof htu !== "string" || htu.split(/[?#]/, 1)[0] !== expected.url)
    return refuse("its htu is another address");
  if (typeof iat !== "number" || Math.abs(now() - iat) > (expected.windowSeconds ?? 60))
    return refuse("its iat is not about now");
  if (typeof jti !== "string" || jti === "" || jti.length > maxJtiLength)
    return refuse("its jti is unusable");
  if (expected.accessToken !== undefined && ath !== (await sha256(expected.accessToken)))
    return refuse("its ath is of another access token");
  const jkt = await calculateJwkThumbprint(publicJwkOf(jwk));
  return { ok: true, jkt, jti, ...(typeof nonce === "string" && { nonce }) };
}

function isPublicKey(value: unknown): value is JWK {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as JWK).kty === "string" &&
    !("d" in value) &&
    !("k" in value)
  );
}

function decode(part: string | undefined): Uint8Array {
  try {
    return base64url.decode(part ?? "");
  } catch {
    return new Uint8Array();
  }
}

function refuse(message: string): ProofResult {
  return { ok: false, message };
}

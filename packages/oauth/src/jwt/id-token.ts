import { base64url } from "jose";
import type { Clock } from "../clock.ts";
import { equalConstantTime } from "../random.ts";
import { signatureAlgorithms, type SignatureAlgorithm } from "./algorithms.ts";
import {
  audiencesOf,
  refuse,
  verifyJwt,
  type TokenRefusal,
  type VerifiedToken,
  type VerifyResult,
  type VerifyRules,
} from "./verify.ts";

export interface IdTokenExpectations {
  /** Issuer, keys, algorithms. The audience is always the client, whatever stands here. */
  readonly rules: Omit<VerifyRules, "audience" | "required">;
  readonly clientId: string;
  /** The nonce of the authorization request; undefined only after a refresh. */
  readonly nonce: string | undefined;
  /** `max_age` of the authorization request, seconds. */
  readonly maxAgeSeconds?: number;
  /** The access token that came with it; `at_hash` is checked when the ID token has one. */
  readonly accessToken?: string;
  /** Audiences besides the client that are trusted. */
  readonly trustedAudiences?: readonly string[];
}

/**
 * Judges an ID token that came from the token endpoint (OpenID Connect Core section 3.1.3.7).
 *
 * Checks: all of `verifyJwt`; `sub`; `aud` holds the client and no untrusted audience; `azp`; `nonce`; `auth_time`
 * against `max_age`; `at_hash` (section 3.1.3.6) when present.
 * Does not check: `acr` (levels are the provider's own scale), `sid`, or that `sub` stayed the same after a refresh.
 */
export async function judgeIdToken(
  token: string,
  expected: IdTokenExpectations,
  now: Clock,
): Promise<VerifyResult> {
  const required = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    ...(expected.maxAgeSeconds === undefined ? [] : ["auth_time"]),
  ];
  const result = await verifyJwt(token, { ...expected.rules, audience: expected.clientId, required }, now);
  if (!result.ok) return result;
  const refusal =
    judgeParties(result.token, expected) ??
    judgeNonce(result.token, expected.nonce) ??
    judgeAuthTime(result.token, expected, now()) ??
    (await judgeAccessTokenHash(result.token, expected.accessToken));
  return refusal === undefined ? result : refuse(refusal.code, refusal.message);
}

function judgeParties({ claims }: VerifiedToken, expected: IdTokenExpectations): TokenRefusal | undefined {
  const trusted = [expected.clientId, ...(expected.trustedAudiences ?? [])];
  const audiences = audiencesOf(claims);
  if (audiences.some((audience) => !trusted.includes(audience))) {
    return { code: "wrong_audience", message: "the ID token is also for an audience that is not trusted" };
  }
  const azp = claims["azp"];
  if (azp === undefined ? audiences.length > 1 : azp !== expected.clientId) {
    return { code: "wrong_authorized_party", message: "azp is not this client" };
  }
  return typeof claims.sub === "string" && claims.sub !== ""
    ? undefined
    : { code: "malformed_claim", message: "sub is not a string" };
}

function judgeNonce({ claims }: VerifiedToken, nonce: string | undefined): TokenRefusal | undefined {
  if (nonce === undefined) return undefined;
  const same = typeof claims["nonce"] === "string" && equalConstantTime(claims["nonce"], nonce);
  return same ? undefined : { code: "wrong_nonce", message: "the nonce is not the one that was sent" };
}

function judgeAuthTime(
  { claims }: VerifiedToken,
  expected: IdTokenExpectations,
  now: number,
): TokenRefusal | undefined {
  if (expected.maxAgeSeconds === undefined) return undefined;
  const age = now - Number(claims["auth_time"]);
  const tolerance = expected.rules.toleranceSeconds ?? 10;
  if (age <= expected.maxAgeSeconds + tolerance) return undefined;
  return {
    code: "stale_authentication",
    message: `the user authenticated ${Math.round(age)} s ago, which is too long`,
  };
}

async function judgeAccessTokenHash(
  token: VerifiedToken,
  accessToken: string | undefined,
): Promise<TokenRefusal | undefined> {
  const hash = token.claims["at_hash"];
  if (hash === undefined || accessToken === undefined) return undefined;
  // The algorithm was checked by verifyJwt.
  const { hash: digest } = signatureAlgorithms[token.header["alg"] as SignatureAlgorithm];
  const bytes = new Uint8Array(await crypto.subtle.digest(digest, new TextEncoder().encode(accessToken)));
  const half = base64url.encode(bytes.subarray(0, bytes.length / 2));
  const same = typeof hash === "string" && equalConstantTime(hash, half);
  return same ? undefined : { code: "wrong_access_token_hash", message: "at_hash is not the access token's" };
}

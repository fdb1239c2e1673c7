import { Fault, judgeTokenResponse, peekJwt, type ClientAuth, type TokenResponse } from "@portvakt/oauth";
import type { TokenKind } from "./provider.ts";

/** For grants whose assertion itself authenticates the client (RFC 7521 section 4.1): nothing is added. */
export const noClientAuth: ClientAuth = () => Promise.resolve();

/**
 * Judges the answer to a token request of ours.
 *
 * Checks: all of `judgeTokenResponse`; that the token is of the type that was asked for: a bearer token (RFC 6750), or one
 * that is bound to our key (RFC 9449 section 5), for a bearer token in its place would be one that a thief can use.
 * Does not check: the access token itself, which is for its audience to read.
 * Throws: `ReportedError` (RFC 6749 section 5.2), Fault `bad_response` or `too_large`.
 */
export async function judgeIssuedToken(
  response: Response,
  expected: TokenKind = "Bearer",
): Promise<TokenResponse> {
  const answer = await judgeTokenResponse(response);
  if (answer.token_type.toLowerCase() !== expected.toLowerCase()) {
    throw new Fault("bad_response", `the provider issued a token that is not of type ${expected}`);
  }
  return answer;
}

/**
 * How long a new token lives, in seconds: `expires_in`, else what the token's own `exp` leaves. Undefined when neither
 * says. Nothing of the token is verified.
 */
export function lifetimeSeconds(answer: TokenResponse, now: number): number | undefined {
  if (answer.expires_in !== undefined) return answer.expires_in;
  const exp = peekJwt(answer.access_token)?.claims.exp;
  return typeof exp === "number" && Number.isFinite(exp) ? Math.max(0, exp - now) : undefined;
}

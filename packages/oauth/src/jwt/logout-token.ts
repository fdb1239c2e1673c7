import type { Clock } from "../clock.ts";
import { refuse, verifyJwt, type VerifyResult, type VerifyRules } from "./verify.ts";

/** The member of `events` that makes a JWT a logout token. */
export const backChannelLogoutEvent = "http://schemas.openid.net/event/backchannel-logout";

/**
 * Judges a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.6).
 *
 * Checks: all of `verifyJwt` with `iss`, `aud`, `iat`, `exp`, `jti`; `events`; no `nonce`; `sub` or `sid` is there; a `typ`, when
 * it is neither absent nor `JWT`, is `logout+jwt`.
 * Does not check: that `jti` is new (the caller remembers it), that the session exists.
 */
export async function judgeLogoutToken(
  token: string,
  rules: Omit<VerifyRules, "typ" | "required">,
  now: Clock,
): Promise<VerifyResult> {
  const required = ["iss", "aud", "iat", "exp", "jti", "events"];
  const result = await verifyJwt(token, { ...rules, typ: ["logout+jwt", "jwt", ""], required }, now);
  if (!result.ok) return result;
  const { claims } = result.token;
  const events = claims["events"] as Record<string, unknown> | null;
  const event = typeof events === "object" && events !== null ? events[backChannelLogoutEvent] : undefined;
  if (typeof event !== "object" || event === null)
    return refuse("not_a_logout_token", "events has no logout event");
  if (claims["nonce"] !== undefined) return refuse("not_a_logout_token", "a logout token has no nonce");
  const ids = [claims.sub, claims["sid"], claims.jti].filter((id) => id !== undefined);
  if (!ids.every((id) => typeof id === "string" && id !== "")) {
    return refuse("malformed_claim", "sub, sid or jti is not a string");
  }
  return ids.length >= 2 ? result : refuse("missing_claim", "the logout token has neither sub nor sid");
}

import { peekJwt, verifyJwt } from "@portvakt/oauth";
import type { Clock, KeySet, PeekedJwt, SignatureAlgorithm, VerifiedToken } from "@portvakt/oauth";
import type { ClaimOnce } from "./types.ts";

/** Why a client assertion is refused, in words that may cross the wire; a bad signature or time keeps verifyJwt's own. */
export const assertionRefusals = {
  malformed: "the client assertion is not a JWT",
  issuer_is_not_subject: "the client assertion's iss and sub must both be the client's id",
  unknown_client: "the client is not registered",
  no_keys: "the client has no registered keys",
  unverified: "the client assertion does not verify",
  audience_not_sole: "the client assertion's aud must be this server's issuer identifier, alone",
  lives_too_long: "the client assertion lives too long",
  no_jti: "the client assertion has no usable jti",
  replayed: "the client assertion was used before",
} as const;
export type AssertionRefusalCode = keyof typeof assertionRefusals;

export interface AssertionRefusal {
  readonly code: AssertionRefusalCode;
  readonly message: string;
  /** verifyJwt's own code, when that is what refused. */
  readonly detail?: string;
}

export interface AssertionRules {
  /** What `aud` may be: the issuer identifier; a compatibility mode may add the token endpoint. */
  readonly audiences: readonly string[];
  /** Takes `["<audience>"]` for `"<audience>"`: older libraries cannot write the string. */
  readonly acceptAudienceArray?: boolean;
  readonly algorithms: readonly SignatureAlgorithm[];
  /**
   * The keys of a client; "unknown" when there is no such client. `fresh` asks past any memory, and is used once,
   * when the assertion's key is not among those known.
   */
  readonly keysOf: (clientId: string, options: { fresh: boolean }) => Promise<KeySet | undefined | "unknown">;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
  /** Longest `exp - iat`, seconds; absent = 120. */
  readonly maxLifetimeSeconds?: number;
  /** Clock skew, seconds; absent = 10. */
  readonly toleranceSeconds?: number;
}

export type AssertionResult =
  | { readonly ok: true; readonly clientId: string; readonly token: VerifiedToken }
  | { readonly ok: false; readonly clientId: string | undefined; readonly refusal: AssertionRefusal };

const maxIdLength = 255;
const maxLength = 16_384;

/**
 * Judges a JWT by which a client authenticates itself (RFC 7523 section 3, tightened by RFC 7523bis).
 * *Checks* iss = sub, the client's existence, signature by a registered key and an allowed algorithm, typ, the sole audience, exp, iat, nbf,
 * the lifetime `exp - iat`, and that the jti was never used before - last, so that a refused assertion uses nothing up.
 * *Does not check* whether the client may use the grant. *Throws* nothing of its own.
 */
export async function judgeClientAssertion(
  assertion: string,
  rules: AssertionRules,
): Promise<AssertionResult> {
  const peeked = assertion.length > maxLength ? undefined : peekJwt(assertion);
  if (peeked === undefined) return refuse(undefined, "malformed");
  const { iss, sub } = peeked.claims;
  if (typeof sub !== "string" || sub === "" || sub.length > maxIdLength || iss !== sub)
    return refuse(undefined, "issuer_is_not_subject");

  const verified = await verifyWithRegisteredKeys(peeked, sub, rules);
  if (!verified.ok) return { ok: false, clientId: sub, refusal: verified.refusal };
  const { claims } = verified.token;
  if (!isSoleAudience(claims.aud, rules)) return refuse(sub, "audience_not_sole");

  const { exp, iat, jti } = claims;
  if (exp === undefined || iat === undefined || exp - iat > (rules.maxLifetimeSeconds ?? 120))
    return refuse(sub, "lives_too_long");
  if (typeof jti !== "string" || jti === "" || jti.length > maxIdLength) return refuse(sub, "no_jti");
  const once = await rules.claimJti(`${sub}\n${jti}`, exp + (rules.toleranceSeconds ?? 10), sub);
  return once ? { ok: true, clientId: sub, token: verified.token } : refuse(sub, "replayed");
}

type Verified = { ok: true; token: VerifiedToken } | { ok: false; refusal: AssertionRefusal };

async function verifyWithRegisteredKeys(
  assertion: PeekedJwt,
  clientId: string,
  rules: AssertionRules,
): Promise<Verified> {
  const first = await verifyOnce(assertion, clientId, rules, false);
  if (first.ok) return first;
  // The registry's memory may be a moment behind a registration on another replica.
  const stale = first.refusal.code === "unknown_client" || first.refusal.detail === "unknown_key";
  return stale ? verifyOnce(assertion, clientId, rules, true) : first;
}

async function verifyOnce(
  assertion: PeekedJwt,
  clientId: string,
  rules: AssertionRules,
  fresh: boolean,
): Promise<Verified> {
  const keys = await rules.keysOf(clientId, { fresh });
  if (keys === "unknown") return { ok: false, refusal: refusalOf("unknown_client") };
  if (keys === undefined) return { ok: false, refusal: refusalOf("no_keys") };
  const result = await verifyJwt(
    assertion,
    {
      issuer: clientId,
      audience: rules.audiences,
      keys,
      algorithms: rules.algorithms,
      typ: ["", "jwt", "client-authentication+jwt"],
      required: ["iss", "sub", "aud", "exp", "iat", "jti"],
      toleranceSeconds: rules.toleranceSeconds ?? 10,
    },
    rules.now,
  );
  if (result.ok) return result;
  const { code, message } = result.refusal;
  return {
    ok: false,
    refusal: { code: "unverified", detail: code, message: `${assertionRefusals.unverified}: ${message}` },
  };
}

function isSoleAudience(aud: string | readonly string[] | undefined, rules: AssertionRules): boolean {
  if (typeof aud === "string") return rules.audiences.includes(aud);
  const [only, ...others] = aud ?? [];
  return (
    rules.acceptAudienceArray === true &&
    others.length === 0 &&
    only !== undefined &&
    rules.audiences.includes(only)
  );
}

function refusalOf(code: AssertionRefusalCode): AssertionRefusal {
  return { code, message: assertionRefusals[code] };
}

function refuse(clientId: string | undefined, code: AssertionRefusalCode): AssertionResult {
  return { ok: false, clientId, refusal: refusalOf(code) };
}

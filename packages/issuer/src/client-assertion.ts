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

export interface AssertionRules<C> {
  /** What `aud` may be: the issuer identifier; a compatibility mode may add the token endpoint. */
  readonly audiences: readonly string[];
  /** Takes `["<audience>"]` for `"<audience>"`: older libraries cannot write the string. */
  readonly acceptAudienceArray?: boolean;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Looks a client up; `fresh` asks past any memory, and is used once, when the client or the assertion's key is not known. */
  readonly find: (clientId: string, options: { fresh: boolean }) => C | undefined | Promise<C | undefined>;
  /** The keys that a client may authenticate by. */
  readonly keysOf: (client: C) => KeySet | undefined;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
  /** Longest `exp - iat`, seconds; absent = 120. */
  readonly maxLifetimeSeconds?: number;
  /** Clock skew, seconds; absent = 10. */
  readonly toleranceSeconds?: number;
}

export type AssertionResult<C> =
  | { readonly ok: true; readonly clientId: string; readonly client: C }
  | { readonly ok: false; readonly clientId: string | undefined; readonly refusal: AssertionRefusal };

const maxIdLength = 255;
const maxLength = 16_384;

/**
 * Judges a JWT by which a client authenticates itself (RFC 7523 section 3, tightened by RFC 7523bis).
 * *Checks* iss = sub, the client's existence, signature by a registered key and an allowed algorithm, typ, the sole audience, exp, iat, nbf,
 * the lifetime `exp - iat`, and that the jti was never used before - last, so that a refused assertion uses nothing up.
 * *Does not check* whether the client may use the grant. *Throws* nothing of its own.
 */
export async function judgeClientAssertion<C>(
  assertion: string,
  rules: AssertionRules<C>,
): Promise<AssertionResult<C>> {
  const peeked = assertion.length > maxLength ? undefined : peekJwt(assertion);
  if (peeked === undefined) return refuse(undefined, "malformed");
  const { iss, sub } = peeked.claims;
  if (typeof sub !== "string" || sub === "" || sub.length > maxIdLength || iss !== sub)
    return refuse(undefined, "issuer_is_not_subject");

  let verified = await verifyByRegisteredKey(peeked, sub, rules, { fresh: false });
  // The registry's memory may be a moment behind a registration on another replica.
  if (
    !verified.ok &&
    (verified.refusal.code === "unknown_client" || verified.refusal.detail === "unknown_key")
  )
    verified = await verifyByRegisteredKey(peeked, sub, rules, { fresh: true });
  if (!verified.ok) return { ok: false, clientId: sub, refusal: verified.refusal };
  const { client, token } = verified;
  const { claims } = token;
  if (!isSoleAudience(claims.aud, rules)) return refuse(sub, "audience_not_sole");

  const { exp, iat, jti } = claims;
  if (exp === undefined || iat === undefined || exp - iat > (rules.maxLifetimeSeconds ?? 120))
    return refuse(sub, "lives_too_long");
  if (typeof jti !== "string" || jti === "" || jti.length > maxIdLength) return refuse(sub, "no_jti");
  const once = await rules.claimJti(`${sub}\n${jti}`, exp + (rules.toleranceSeconds ?? 10), sub);
  return once ? { ok: true, clientId: sub, client } : refuse(sub, "replayed");
}

type Verified<C> =
  | { readonly ok: true; readonly client: C; readonly token: VerifiedToken }
  | { readonly ok: false; readonly refusal: AssertionRefusal };

async function verifyByRegisteredKey<C>(
  assertion: PeekedJwt,
  clientId: string,
  rules: AssertionRules<C>,
  { fresh }: { fresh: boolean },
): Promise<Verified<C>> {
  const found = rules.find(clientId, { fresh });
  const client = found instanceof Promise ? await found : found;
  if (client === undefined) return { ok: false, refusal: refusalOf("unknown_client") };
  const keys = rules.keysOf(client);
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
  if (result.ok) return { ok: true, client, token: result.token };
  const { code, message } = result.refusal;
  return {
    ok: false,
    refusal: { code: "unverified", detail: code, message: `${assertionRefusals.unverified}: ${message}` },
  };
}

function isSoleAudience(
  aud: string | readonly string[] | undefined,
  rules: Pick<AssertionRules<unknown>, "audiences" | "acceptAudienceArray">,
): boolean {
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

function refuse(clientId: string | undefined, code: AssertionRefusalCode): AssertionResult<never> {
  return { ok: false, clientId, refusal: refusalOf(code) };
}

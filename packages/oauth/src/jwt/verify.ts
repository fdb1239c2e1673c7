import type { Clock } from "../clock.ts";
import { printable } from "../form.ts";
import { isSignatureAlgorithm, type SignatureAlgorithm } from "./algorithms.ts";
import { fromBase64url, textFromBase64url } from "./base64url.ts";
import type { JwtClaims } from "./claims.ts";
import { encoding } from "./encoding.ts";
import type { KeyLookup, KeySet } from "./key-set.ts";

/** Why a token was refused. One table; `retry` says whether the same token may be accepted a little later. */
export const tokenRefusals = {
  malformed: { retry: false },
  too_large: { retry: false },
  alg_not_allowed: { retry: false },
  typ_not_allowed: { retry: false },
  critical_header: { retry: false },
  embedded_key: { retry: false },
  unknown_key: { retry: true },
  keys_unavailable: { retry: true },
  bad_signature: { retry: false },
  missing_claim: { retry: false },
  malformed_claim: { retry: false },
  wrong_issuer: { retry: false },
  wrong_audience: { retry: false },
  expired: { retry: false },
  not_yet_valid: { retry: true },
  issued_in_future: { retry: true },
  wrong_nonce: { retry: false },
  wrong_authorized_party: { retry: false },
  wrong_access_token_hash: { retry: false },
  stale_authentication: { retry: false },
  not_a_logout_token: { retry: false },
} as const satisfies Record<string, { retry: boolean }>;

export type TokenRefusalCode = keyof typeof tokenRefusals;

/** `message` is fit for people and logs: it never holds the token. */
export interface TokenRefusal {
  readonly code: TokenRefusalCode;
  readonly message: string;
}

declare const verified: unique symbol;

/** A token that passed `verifyJwt` under some rules. Nothing else makes one. */
export interface VerifiedToken {
  readonly [verified]: true;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<JwtClaims>;
  readonly raw: string;
}

export type VerifyResult =
  | { readonly ok: true; readonly token: VerifiedToken }
  | { readonly ok: false; readonly refusal: TokenRefusal };

/** Says that a token's audience is not checked, because its provider puts none there. */
export const anyAudience: unique symbol = Symbol("anyAudience");

export interface VerifyRules {
  /** The expected `iss`, exactly; or a function that derives it from the (unverified) claims and may refuse. */
  readonly issuer: string | ((claims: JwtClaims) => string | undefined);
  /** `aud` must hold at least one of these. */
  readonly audience: string | readonly string[] | typeof anyAudience;
  readonly keys: KeySet;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Allowed header `typ`, lower case, without `application/`; "" stands for none. Absent: any but those made for other purposes. */
  readonly typ?: readonly string[];
  /** Claims that must be there, default `iss`, `exp`, `iat`. */
  readonly required?: readonly string[];
  /** Tolerated difference of clocks, default 10 s. */
  readonly toleranceSeconds?: number;
  /** The caller has judged the certificates in `x5c`, and `keys` holds the first one's key: the member is no reason to refuse. */
  readonly chainJudged?: true;
  /** Longest token, default 16 KiB. */
  readonly maxBytes?: number;
}

/** Explicitly typed JWTs that are never an access token or an ID token (RFC 8725 section 3.11). */
const otherPurposes: readonly string[] = [
  "logout+jwt",
  "dpop+jwt",
  "secevent+jwt",
  "client-authentication+jwt",
  "oauth-authz-req+jwt",
  "token-introspection+jwt",
  "authorization-grant+jwt",
];

/** Header members that carry or point to a key. A verifier that follows them trusts the attacker (RFC 8725 section 3.10). */
const keyMembers = ["jku", "jwk", "x5u", "x5c"] as const;

/**
 * Verifies a signed JWT, given as text or as `peekJwt` decoded it.
 *
 * Checks, in this order: size; three parts of JSON; `alg` is one of the rules' (RFC 8725 section 3.1); no `crit` and no
 * `b64` (RFC 7515 section 4.1.11, RFC 7797); no embedded key; `typ`; `iss`; the signature, by a key of the rules' key set;
 * required claims; `exp`, `nbf`, `iat` with the tolerance; `aud`.
 * Does not check: `sub`, `scope`, `acr`, `cnf`, replay, revocation, or anything else that an API or a grant asks for.
 * Throws: nothing; a bad token is a result. It is there at once where the keys are at hand and the runtime verifies at once.
 */
export function verifyJwt(
  given: string | PeekedJwt,
  rules: VerifyRules,
  now: Clock,
): VerifyResult | Promise<VerifyResult> {
  const token = typeof given === "string" ? given : given.raw;
  if (token.length > (rules.maxBytes ?? 16_384)) return refuse("too_large", "the token is too large");
  const decoded = typeof given === "string" ? peekJwt(given) : given;
  if (decoded === undefined) return refuse("malformed", "this is not a signed JWT");
  const { header, claims } = decoded;
  const refusal = judgeHeader(header, rules) ?? judgeIssuer(claims, rules);
  if (refusal !== undefined) return { ok: false, refusal };
  const lookup = rules.keys.find(header as { kid?: string; alg: string });
  return lookup instanceof Promise
    ? lookup.then((found) => verifyWith(found, decoded, rules, now))
    : verifyWith(lookup, decoded, rules, now);
}

function verifyWith(
  lookup: KeyLookup,
  { header, claims, raw, signedLength }: PeekedJwt,
  rules: VerifyRules,
  now: Clock,
): VerifyResult | Promise<VerifyResult> {
  if (!lookup.ok) return refuse(lookup.code, lookup.message);
  const signature = fromBase64url(raw.slice(signedLength + 1));
  if (signature === undefined) return refuse("malformed", "the signature is not base64url");
  const result = (matches: boolean): VerifyResult => {
    if (!matches) return refuse("bad_signature", "the signature does not match the token");
    const refusal = judgeClaims(claims, rules, now());
    if (refusal !== undefined) return { ok: false, refusal };
    return { ok: true, token: Object.freeze({ header, claims, raw }) as VerifiedToken };
  };
  const matches = lookup.key.verify(encoding.ascii(raw.slice(0, signedLength)), signature);
  return typeof matches === "boolean" ? result(matches) : matches.then(result);
}

declare const peeked: unique symbol;

/** A JWT, decoded and NOT verified. Only `peekJwt` makes one, so what it says is what its text says. */
export interface PeekedJwt {
  readonly [peeked]: true;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<JwtClaims>;
  readonly raw: string;
  /** How much of it is signed: all before the last dot. */
  readonly signedLength: number;
}

/** One token is looked at by several in turn; decoding it once is enough. */
let last: PeekedJwt | undefined;

/** Decodes a JWT in compact form. NOTHING is verified. Undefined when it is none. */
export function peekJwt(token: string): PeekedJwt | undefined {
  if (token === last?.raw) return last;
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (second < 0 || token.includes(".", second + 1)) return undefined;
  const header = readHeader(token.slice(0, first));
  const claims = decodeObject(token.slice(first + 1, second));
  if (header === undefined || claims === undefined) return undefined;
  const peeked = { header, claims: frozen(claims), raw: token, signedLength: second };
  return (last = Object.freeze(peeked) as PeekedJwt);
}

/** The tokens that come have few headers among them: one per issuer and key. Bounded, since anybody may send others. */
const headers = new Map<string, Readonly<Record<string, unknown>>>();
const maxHeaders = 20;
const maxHeaderLength = 300;

function readHeader(part: string): Readonly<Record<string, unknown>> | undefined {
  const known = headers.get(part);
  if (known !== undefined) return known;
  const header = decodeObject(part);
  if (header === undefined) return undefined;
  if (headers.size >= maxHeaders) headers.clear();
  if (part.length <= maxHeaderLength) headers.set(part, header);
  return frozen(header);
}

/** Freezes what JSON gave, all the way down: several are given it in turn. By a list, since anybody may nest it deeply. */
function frozen<T extends object>(value: T): T {
  const left: object[] = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    Object.freeze(one);
    for (const member of Object.values(one) as unknown[])
      if (typeof member === "object" && member !== null) left.push(member);
  }
  return value;
}

/** A refusal as a result. */
export function refuse(code: TokenRefusalCode, message: string): { ok: false; refusal: TokenRefusal } {
  return { ok: false, refusal: { code, message } };
}

/** The audiences of a claims set, as a list. */
export function audiencesOf(claims: Readonly<JwtClaims>): readonly string[] {
  const { aud } = claims;
  return typeof aud === "string"
    ? [aud]
    : Array.isArray(aud)
      ? aud.filter((one) => typeof one === "string")
      : [];
}

function decodeObject(part: string): Record<string, unknown> | undefined {
  const text = textFromBase64url(part);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function judgeHeader(
  header: Readonly<Record<string, unknown>>,
  rules: VerifyRules,
): TokenRefusal | undefined {
  const { alg, kid } = header;
  if (!isSignatureAlgorithm(alg) || !rules.algorithms.includes(alg)) {
    const named = typeof alg === "string" ? `"${printable(alg)}"` : "that is no text";
    return { code: "alg_not_allowed", message: `alg ${named} is not allowed here` };
  }
  if (kid !== undefined && typeof kid !== "string")
    return { code: "malformed", message: "kid is not a string" };
  if (header["crit"] !== undefined || header["b64"] !== undefined) {
    return {
      code: "critical_header",
      message: "the header has critical extensions, which are not understood here",
    };
  }
  const judged = rules.chainJudged === true ? "x5c" : undefined;
  const embedded = keyMembers.find((member) => member !== judged && header[member] !== undefined);
  if (embedded !== undefined) {
    return {
      code: "embedded_key",
      message: `the header brings its own key (${embedded}), which is never trusted`,
    };
  }
  return judgeType(header["typ"], rules);
}

function judgeType(value: unknown, rules: VerifyRules): TokenRefusal | undefined {
  if (value !== undefined && typeof value !== "string")
    return { code: "malformed", message: "typ is not a string" };
  const typ = value?.toLowerCase().replace(/^application\//, "") ?? "";
  const allowed = rules.typ === undefined ? !otherPurposes.includes(typ) : rules.typ.includes(typ);
  if (allowed) return undefined;
  return { code: "typ_not_allowed", message: `typ "${printable(typ)}" is not the type expected here` };
}

function judgeIssuer(claims: JwtClaims, rules: VerifyRules): TokenRefusal | undefined {
  if (typeof claims.iss !== "string") return { code: "missing_claim", message: "the token has no iss" };
  const expected = typeof rules.issuer === "string" ? rules.issuer : rules.issuer(claims);
  if (expected !== undefined && claims.iss === expected) return undefined;
  const wanted = expected === undefined ? "any that is trusted here" : `"${expected}"`;
  return { code: "wrong_issuer", message: `the issuer is "${printableUrl(claims.iss)}", not ${wanted}` };
}

function judgeClaims(claims: JwtClaims, rules: VerifyRules, now: number): TokenRefusal | undefined {
  const missing = (rules.required ?? ["iss", "exp", "iat"]).find((name) => claims[name] === undefined);
  if (missing !== undefined) return { code: "missing_claim", message: `the token has no ${missing}` };
  return judgeTimes(claims, rules.toleranceSeconds ?? 10, now) ?? judgeAudience(claims, rules.audience);
}

const isTime = (value: unknown): boolean => value === undefined || Number.isFinite(value);

function judgeTimes({ exp, nbf, iat }: JwtClaims, tolerance: number, now: number): TokenRefusal | undefined {
  if (!isTime(exp) || !isTime(nbf) || !isTime(iat)) {
    const malformed = isTime(exp) ? (isTime(nbf) ? "iat" : "nbf") : "exp";
    return { code: "malformed_claim", message: `${malformed} is not a time in seconds` };
  }
  if (exp !== undefined && now >= exp + tolerance) {
    return { code: "expired", message: `the token expired ${Math.round(now - exp)} s ago` };
  }
  if (nbf !== undefined && nbf > now + tolerance) {
    return {
      code: "not_yet_valid",
      message: `the token is not valid for another ${Math.round(nbf - now)} s`,
    };
  }
  if (iat !== undefined && iat > now + tolerance) {
    return {
      code: "issued_in_future",
      message: `the token was issued ${Math.round(iat - now)} s in the future`,
    };
  }
  return undefined;
}

function judgeAudience(claims: JwtClaims, expected: VerifyRules["audience"]): TokenRefusal | undefined {
  if (expected === anyAudience) return undefined;
  const wanted = typeof expected === "string" ? [expected] : expected;
  const audiences = audiencesOf(claims);
  if (audiences.some((audience) => wanted.includes(audience))) return undefined;
  const held =
    audiences.length === 0
      ? "nobody"
      : audiences
          .slice(0, 3)
          .map((one) => `"${printableUrl(one)}"`)
          .join(", ");
  return {
    code: "wrong_audience",
    message: `the token is for ${held}, not for ${wanted.map((w) => `"${w}"`).join(" or ")}`,
  };
}

function printableUrl(text: string): string {
  return text.length > 64 && text.length <= 200 && /^[\x21-\x7e]+$/.test(text) && !/["\\]/.test(text)
    ? text
    : printable(text);
}

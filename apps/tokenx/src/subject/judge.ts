import {
  anyAudience,
  audiencesOf,
  peekJwt,
  ProtocolError,
  signatureAlgorithms,
  verifyJwt,
} from "@portvakt/oauth";
import type {
  Clock,
  JwtClaims,
  KeySet,
  SignatureAlgorithm,
  VerifiedToken,
  VerifyResult,
  VerifyRules,
} from "@portvakt/oauth";
import type { Application } from "../registry/registration.ts";
import { actorOf, claimsFromOutside, claimsFromOwn } from "./claims.ts";
import type { Actor, IssuerRules } from "./claims.ts";
import type { TrustedIssuer, TrustedIssuers } from "../trusted-issuers.ts";

/** A subject token that the caller may exchange. */
export interface Subject {
  /** The user's claims, ready to be issued again. */
  readonly claims: JwtClaims;
  /** The issuer that the user signed in with, kept through a chain. */
  readonly idp: string;
  /** Who acted before the caller. */
  readonly actor: Actor | undefined;
  /** Whole seconds since the epoch. Nothing that is issued from it lives longer. */
  readonly expiresAt: number;
  readonly scope: readonly string[];
  readonly token: VerifiedToken;
}

export interface SubjectJudgeOptions {
  /** Our own issuer identifier, and the keys that verify what we issued. */
  readonly issuer: string;
  readonly ownKeys: KeySet;
  readonly issuers: TrustedIssuers<IssuerRules>;
  /** Whether tokens that are not tied to the caller are refused, or only counted. */
  readonly audience: "observe" | "enforce";
  /** Is told of every external token that is not tied to the caller. */
  readonly onUntied: (issuer: string) => void;
  /** Whether a token, or the session that it came of, was ended before its time. */
  readonly isRevoked: (claims: Readonly<JwtClaims>) => boolean;
  readonly now: Clock;
}

export type JudgeSubject = (token: string, caller: Application) => Promise<Subject>;

const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];

/**
 * Makes the judge of subject tokens (RFC 8693 section 2.1).
 * *Checks* that the issuer is known, signature, iss, iat, exp, nbf; that the token is the caller's to exchange; may_act; revocation.
 * *Does not check* the target or the access policy. *Throws* ProtocolError invalid_request, as RFC 8693 section 2.2.2 demands.
 */
export function subjectJudge(options: SubjectJudgeOptions): JudgeSubject {
  return async (raw, caller) => {
    const peeked = peekJwt(raw);
    const issuer = peeked?.claims.iss;
    if (peeked === undefined || issuer === undefined)
      throw invalidSubject("it is not a signed JWT with an issuer");
    const known = issuer === options.issuer ? undefined : await options.issuers.find(issuer);
    if (known === undefined && issuer !== options.issuer)
      throw invalidSubject("its issuer is not trusted here");
    const rules = known === undefined ? rulesOfOwn(caller, options) : rulesOfExternal(known);
    const token = verifiedOf(await verifyJwt(peeked, rules, options.now));
    const subject =
      known === undefined ? ownSubject(token, options) : externalSubject(token, caller, known, options);
    if (subject.expiresAt <= options.now()) throw invalidSubject("it has expired");
    // By the issuer that was verified: what an external token says of its idp is hearsay.
    if (options.isRevoked({ ...subject.token.claims, idp: subject.idp }))
      throw invalidSubject("it was revoked");
    honourMayAct(subject.token.claims, caller);
    return subject;
  };
}

/** A token of ours: made for the caller, or not the caller's to exchange. */
function rulesOfOwn(caller: Application, { issuer, ownKeys }: SubjectJudgeOptions): VerifyRules {
  return { issuer, audience: caller.id, keys: ownKeys, algorithms };
}

const externalTypes = ["", "jwt", "at+jwt"];

/** A token of an identity provider. Whose it is, is no matter of its audience alone: `isTied`. */
function rulesOfExternal({ issuer, keys }: TrustedIssuer<IssuerRules>): VerifyRules {
  return { issuer, audience: anyAudience, keys, algorithms, typ: externalTypes };
}

function ownSubject(token: VerifiedToken, options: SubjectJudgeOptions): Subject {
  const { claims } = token;
  const idp = typeof claims["idp"] === "string" ? claims["idp"] : options.issuer;
  return {
    claims: claimsFromOwn(claims),
    idp,
    actor: actorOf(claims),
    expiresAt: Math.floor(claims.exp ?? 0),
    scope: scopeOf(claims),
    token,
  };
}

function externalSubject(
  token: VerifiedToken,
  caller: Application,
  known: TrustedIssuer<IssuerRules>,
  options: SubjectJudgeOptions,
): Subject {
  const { claims } = token;
  if (!isTied(claims, caller, known)) {
    options.onUntied(known.issuer);
    if (options.audience === "enforce") throw invalidSubject("it was made for another application");
  }
  const copied = claimsFromOutside(claims, known.rules);
  // An external act is no part of our chain: whom it names was not authenticated here.
  return {
    claims: copied,
    idp: known.issuer,
    actor: undefined,
    expiresAt: Math.floor(claims.exp ?? 0),
    scope: scopeOf(copied),
    token,
  };
}

/**
 * Whether an external token is the caller's to exchange: its `aud` is the caller, or the resource that stands for the whole
 * platform, or its `client_id` is one that the caller registered as its own at that issuer.
 */
function isTied(
  claims: Readonly<JwtClaims>,
  caller: Application,
  known: TrustedIssuer<IssuerRules>,
): boolean {
  const audiences = audiencesOf(claims);
  if (audiences.includes(caller.id) || known.rules.audiences.some((one) => audiences.includes(one)))
    return true;
  const clientId = claims["client_id"];
  return (
    typeof clientId === "string" &&
    (caller.registration.subjectClients[known.issuer] ?? []).includes(clientId)
  );
}

/** RFC 8693 section 4.4: who may act is a matter of the token, whichever parameters the request has. */
function honourMayAct(claims: Readonly<JwtClaims>, caller: Application): void {
  const mayAct = claims["may_act"];
  if (mayAct === undefined) return;
  const { sub, client_id: clientId } =
    typeof mayAct === "object" && mayAct !== null ? (mayAct as Record<string, unknown>) : {};
  const named = [sub, clientId].filter((one) => one !== undefined);
  if (named.length === 0 || named.some((one) => one !== caller.id))
    throw invalidSubject("its may_act names another actor");
}

function verifiedOf(result: VerifyResult): VerifiedToken {
  if (result.ok) return result.token;
  if (result.refusal.code === "keys_unavailable")
    throw new ProtocolError(
      "temporarily_unavailable",
      "the keys of the subject token's issuer are not available",
    );
  throw invalidSubject(result.refusal.message);
}

function scopeOf(claims: Readonly<JwtClaims>): readonly string[] {
  const { scope } = claims;
  return typeof scope === "string" ? scope.split(" ").filter((one) => one !== "") : [];
}

function invalidSubject(why: string): ProtocolError {
  return new ProtocolError("invalid_request", `invalid subject_token: ${why}`);
}

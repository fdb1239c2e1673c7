import type { JwtClaims } from "@portvakt/oauth";

/** What is particular to one issuer of subject tokens. */
export interface IssuerRules {
  /** `aud` values that stand for the whole platform: a token for one of them is every application's. */
  readonly audiences: readonly string[];
  /** The `aud` of this issuer's logout tokens to us; absent = it is not listened to. */
  readonly logoutAudience?: string | undefined;
  /** Claims that go into issued tokens; absent = the default list. */
  readonly claims?: readonly string[] | undefined;
  /** Claim values that are written differently in issued tokens: claim -> from -> to. */
  readonly mappings: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What is taken over from an external subject token where its issuer has no list of its own. */
const defaultClaims = [
  "sub",
  "pid",
  "acr",
  "amr",
  "auth_time",
  "client_amr",
  "client_orgno",
  "consumer",
  "authorization_details",
  "locale",
  "scope",
  "sid",
] as const;

/** Claims that this server alone writes, or that are about the token they came in: never taken over from outside. */
export const ownClaims: ReadonlySet<string> = new Set([
  "iss",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  "client_id",
  "azp",
  "idp",
  "act",
  "may_act",
  "cnf",
  "nonce",
  "at_hash",
  "c_hash",
  "s_hash",
  "events",
]);

/** ID-porten's levels in both spellings, by strength. */
const acrStrength: Readonly<Record<string, number>> = {
  "idporten-loa-low": 2,
  Level3: 3,
  "idporten-loa-substantial": 3,
  Level4: 4,
  "idporten-loa-high": 4,
};

/** Says why a mapping of `acr` cannot be accepted, or undefined when it can: an exchange never raises a level. */
export function acrMappingProblem(from: string, to: string): string | undefined {
  const [before, after] = [entryOf(acrStrength, from), entryOf(acrStrength, to)];
  if (before === undefined || after === undefined)
    return `acr "${before === undefined ? from : to}" has no known strength`;
  return after > before ? `acr "${from}" would be raised to "${to}"` : undefined;
}

/** The user's claims of an external subject token: those that the issuer's list allows, with its mappings applied. */
export function claimsFromOutside(claims: Readonly<JwtClaims>, rules: IssuerRules): JwtClaims {
  const copied: JwtClaims = {};
  // By its session a token is found when its provider says that the session has ended.
  const sid = rules.logoutAudience === undefined ? [] : ["sid"];
  for (const name of [...(rules.claims ?? defaultClaims), ...sid]) {
    const value = claims[name];
    if (value !== undefined && !ownClaims.has(name)) copied[name] = mapped(name, value, rules);
  }
  return copied;
}

function mapped(name: string, value: unknown, rules: IssuerRules): unknown {
  if (typeof value !== "string") return value;
  const to = entryOf(entryOf(rules.mappings, name) ?? {}, value);
  return to === undefined || (name === "acr" && acrMappingProblem(value, to) !== undefined) ? value : to;
}

/** A record's own entry: names from tokens must not find what every object inherits. */
function entryOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The user's claims of a token of our own: what is in there went through a list already. */
export function claimsFromOwn(claims: Readonly<JwtClaims>): JwtClaims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !ownClaims.has(name)));
}

/** Who acts, and for whom before (RFC 8693 section 4.1). */
export interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** More links than this are refused, so that tokens cannot grow without end. */
export const maxActors = 8;

/** The chain of a token of our own, or undefined when there is none or it is not well-formed. */
export function actorOf(claims: Readonly<JwtClaims>): Actor | undefined {
  return readActor(claims["act"], maxActors);
}

function readActor(value: unknown, left: number): Actor | undefined {
  if (typeof value !== "object" || value === null || left === 0) return undefined;
  const { sub, act } = value as { sub?: unknown; act?: unknown };
  if (typeof sub !== "string") return undefined;
  const before = readActor(act, left - 1);
  return before === undefined ? { sub } : { sub, act: before };
}

/** The number of actors in a chain. */
export function depthOf(actor: Actor | undefined): number {
  return actor === undefined ? 0 : 1 + depthOf(actor.act);
}

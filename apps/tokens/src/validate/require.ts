import { printable, type JwtClaims } from "@portvakt/oauth";
import type { SubjectKind } from "@portvakt/providers";
import type { Requirements } from "../schemas.ts";
import { toleranceSeconds } from "./judgement.ts";

/** ID-porten's levels, with the names that TokenX maps them to. A higher level meets a lower requirement. */
const levels: Readonly<Record<string, number>> = {
  "idporten-loa-low": 2,
  Level3: 3,
  "idporten-loa-substantial": 3,
  Level4: 4,
  "idporten-loa-high": 4,
};

/**
 * Judges a verified token by what the caller asks for.
 *
 * Checks: each member of `require`; `kindOf` is the provider's, as `idtyp` is a claim of few tokens. Does not check: anything about the token's validity.
 * Gives: the first requirement that is not met, as a sentence; undefined when all are.
 */
export function judgeRequirements(
  claims: Readonly<JwtClaims>,
  required: Requirements,
  kindOf: (claims: Readonly<JwtClaims>) => SubjectKind,
  now: number,
): string | undefined {
  return (
    judgeAcr(claims["acr"], required.acr) ??
    missingOf("scope", words(claims["scope"] ?? claims["scp"]), required.scope) ??
    missingOf("role", words(claims["roles"]), required.roles) ??
    noneOf("groups", claims["groups"], required.groups) ??
    noneOf("azp", claims["azp"], required.azp) ??
    noneOf("client_id", claims["client_id"], required.client_id) ??
    judgeAge(claims["auth_time"], required.max_age, now) ??
    judgeKind(kindOf(claims), required.idtyp)
  );
}

function judgeAcr(acr: unknown, wanted: readonly string[] | null | undefined): string | undefined {
  if (wanted === undefined || wanted === null) return undefined;
  const held = typeof acr === "string" ? acr : "";
  const level = levelOf(held);
  const met = wanted.some(
    (one) => one === held || (level !== undefined && level >= (levelOf(one) ?? Infinity)),
  );
  if (met) return undefined;
  return `the user is signed in at ${held === "" ? "no level" : printable(held)}, and ${wanted.join(" or ")} is required`;
}

function levelOf(name: string): number | undefined {
  return Object.hasOwn(levels, name) ? levels[name] : undefined;
}

function missingOf(what: string, held: readonly string[], wanted: readonly string[] | null | undefined) {
  const missing = wanted?.flatMap((one) => one.split(" ")).find((one) => !held.includes(one));
  return missing === undefined ? undefined : `the token does not have the ${what} ${printable(missing)}`;
}

/** Names are compared whole: one with a space in it is no list of names. */
function noneOf(what: string, claim: unknown, wanted: readonly string[] | null | undefined) {
  const held: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  if (wanted === undefined || wanted === null || wanted.some((one) => held.includes(one))) return undefined;
  return `the token's ${what} is not one of those required`;
}

function judgeAge(authTime: unknown, maxAge: number | null | undefined, now: number): string | undefined {
  if (maxAge === undefined || maxAge === null) return undefined;
  if (typeof authTime !== "number") return "the token does not say when the user signed in";
  const age = Math.round(now - authTime);
  if (age < -toleranceSeconds) return `the user is said to sign in ${-age} s from now`;
  return age <= maxAge ? undefined : `the user signed in ${age} s ago, and at most ${maxAge} s is required`;
}

const subjects = {
  user: "this is a user's token",
  machine: "this is a machine's token",
  unknown: "the token does not say whether it is a user's or a machine's",
} as const satisfies Record<SubjectKind, string>;

function judgeKind(kind: SubjectKind, wanted: "app" | "user" | null | undefined): string | undefined {
  if (wanted === undefined || wanted === null) return undefined;
  const required = wanted === "app" ? "machine" : "user";
  return kind === required ? undefined : `${subjects[kind]}, and a ${required}'s is required`;
}

/** A claim of words: a list, or a text with spaces. */
function words(claim: unknown): readonly string[] {
  if (typeof claim === "string") return claim.split(" ");
  return Array.isArray(claim) ? claim.filter((one) => typeof one === "string") : [];
}

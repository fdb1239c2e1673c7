import type { Caller } from "./caller.ts";
import type { CallerKind } from "./providers.ts";
import { refused } from "./result.ts";
import type { Refused } from "./result.ts";

/** What a route asks of a caller, beyond a token that is valid and meant for this application. */
export interface Guards {
  /** A citizen's level of assurance: ID-porten's levels are in order, any other value must be equal. One of a list suffices. */
  readonly acr?: string | readonly string[];
  /** Scopes, all of which the token must have: a list, or words with spaces between. */
  readonly scope?: string | readonly string[];
  /** Roles, one of which the token must have. */
  readonly roles?: string | readonly string[];
  /** Groups, one of which the user must be a member of. */
  readonly groups?: string | readonly string[];
  /** Whether a person must be behind the call, or must not. */
  readonly kind?: CallerKind;
  /** Calling applications (`client`), one of which this must be. */
  readonly clients?: string | readonly string[];
  /** Maskinporten: organisation numbers (nine digits), one of which the consumer's must be. */
  readonly organisations?: string | readonly string[];
  /** Longest time since the user authenticated (`auth_time`), in seconds. One in the future is none. */
  readonly maxAgeSeconds?: number;
}

/** ID-porten's levels, lowest first; TokenX still gives the older names. */
const levels: Readonly<Record<string, number>> = {
  "idporten-loa-low": 1,
  Level3: 2,
  "idporten-loa-substantial": 2,
  Level4: 3,
  "idporten-loa-high": 3,
};

/**
 * Holds the guards of a route against a caller.
 *
 * *Checks*: only the guards that are there; a claim that is missing never satisfies one. *Does not check*: the token
 * (see `validateToken`). *Throws*: nothing; `undefined` means that all are satisfied.
 */
export function judgeGuards(
  guards: Guards,
  caller: Caller,
  now: number,
  toleranceSeconds = 10,
): Refused | undefined {
  return (
    judgeKind(guards, caller) ??
    judgeClient(guards, caller) ??
    judgeAcr(guards, caller) ??
    judgeAge(guards, caller, now, toleranceSeconds) ??
    judgeRights(guards, caller)
  );
}

function judgeKind({ kind }: Guards, caller: Caller): Refused | undefined {
  if (kind === undefined || kind === caller.kind) return undefined;
  const wanted = kind === "user" ? "a token for a user" : "a token for an application on its own";
  return refused("wrong_kind", `this takes ${wanted}`);
}

function judgeClient({ clients, organisations }: Guards, caller: Caller): Refused | undefined {
  const isAmong = (held: string | undefined, wanted: string | readonly string[] | undefined): boolean =>
    wanted === undefined || (held !== undefined && listOf(wanted).includes(held));
  if (!isAmong(caller.client, clients))
    return refused("wrong_caller", "the calling application is not among those that may use this");
  if (!isAmong(caller.organisation, organisations))
    return refused("wrong_caller", "the calling organisation is not among those that may use this");
  return undefined;
}

function judgeAcr({ acr }: Guards, caller: Caller): Refused | undefined {
  if (acr === undefined || listOf(acr).some((wanted) => reaches(caller.acr, wanted))) return undefined;
  const held = caller.acr === undefined ? "the token has no acr" : `the user signed in at ${cut(caller.acr)}`;
  return refused("insufficient_acr", `this takes ${listOf(acr).join(" or ")}; ${held}`);
}

function judgeAge(
  { maxAgeSeconds }: Guards,
  caller: Caller,
  now: number,
  toleranceSeconds: number,
): Refused | undefined {
  if (maxAgeSeconds === undefined) return undefined;
  const authTime = caller.claims["auth_time"];
  const age = typeof authTime === "number" ? now - authTime : Number.NaN;
  if (age <= maxAgeSeconds && age >= -toleranceSeconds) return undefined;
  return refused("stale_authentication", `the user must have signed in within the last ${maxAgeSeconds} s`);
}

function reaches(held: string | undefined, wanted: string): boolean {
  if (held === undefined) return false;
  if (held === wanted) return true;
  const need = Object.hasOwn(levels, wanted) ? levels[wanted] : undefined;
  const have = Object.hasOwn(levels, held) ? levels[held] : undefined;
  return need !== undefined && have !== undefined && have >= need;
}

function judgeRights(guards: Guards, caller: Caller): Refused | undefined {
  // RFC 6749 section 3.3: a scope is words with spaces between. One that is empty is met by nobody.
  const scopes = listOf(guards.scope).flatMap((one) => one.trim().split(/ +/));
  const missing = scopes.find((scope) => !caller.scopes.includes(scope));
  if (missing !== undefined) return refused("insufficient_scope", `the token lacks the scope ${missing}`);
  if (guards.roles !== undefined && !listOf(guards.roles).some((role) => caller.roles.includes(role))) {
    return refused("missing_role", `the token has none of the roles ${listOf(guards.roles).join(", ")}`);
  }
  if (guards.groups !== undefined && !listOf(guards.groups).some((group) => caller.groups.includes(group))) {
    return refused("missing_group", "the user is in none of the groups that may use this");
  }
  return undefined;
}

/** A guard's value as a list. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function cut(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "?").slice(0, 64);
}

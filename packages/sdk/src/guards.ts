import type { Caller } from "./caller.ts";
import type { CallerKind } from "./providers.ts";
import { refused } from "./result.ts";
import type { Refused } from "./result.ts";

/** What a route asks of a caller, beyond a token that is valid and meant for this application. */
export interface Guards {
  /** A citizen's level of assurance: ID-porten's levels are in order, any other value must be equal. One of a list suffices. */
  readonly acr?: string | readonly string[];
  /** Scopes, all of which the token must have. */
  readonly scope?: string | readonly string[];
  /** Roles, one of which the token must have. */
  readonly roles?: string | readonly string[];
  /** Groups, one of which the user must be a member of. */
  readonly groups?: string | readonly string[];
  /** Whether a person must be behind the call, or must not. */
  readonly kind?: CallerKind;
  /** Calling applications (`client`), one of which this must be. */
  readonly clients?: string | readonly string[];
  /** Longest time since the user authenticated (`auth_time`), in seconds. */
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
export function judgeGuards(guards: Guards, caller: Caller, now: number): Refused | undefined {
  return (
    judgeKind(guards, caller) ??
    judgeClient(guards, caller) ??
    judgeAuthentication(guards, caller, now) ??
    judgeRights(guards, caller)
  );
}

function judgeKind({ kind }: Guards, caller: Caller): Refused | undefined {
  if (kind === undefined || kind === caller.kind) return undefined;
  const wanted = kind === "user" ? "a token for a user" : "a token for an application on its own";
  return refused("wrong_kind", `this takes ${wanted}`);
}

function judgeClient({ clients }: Guards, caller: Caller): Refused | undefined {
  if (clients === undefined) return undefined;
  if (caller.client !== undefined && listOf(clients).includes(caller.client)) return undefined;
  return refused("wrong_caller", "the calling application is not among those that may use this");
}

function judgeAuthentication(guards: Guards, caller: Caller, now: number): Refused | undefined {
  const { acr, maxAgeSeconds } = guards;
  if (acr !== undefined && !listOf(acr).some((wanted) => reaches(caller.acr, wanted))) {
    const held =
      caller.acr === undefined ? "the token has no acr" : `the user signed in at ${cut(caller.acr)}`;
    return refused("insufficient_acr", `this takes ${listOf(acr).join(" or ")}; ${held}`);
  }
  if (maxAgeSeconds === undefined) return undefined;
  const authTime = caller.claims["auth_time"];
  if (typeof authTime === "number" && now - authTime <= maxAgeSeconds) return undefined;
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
  const missing = listOf(guards.scope).find((scope) => !caller.scopes.includes(scope));
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

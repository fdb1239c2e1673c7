import type { Clock, JwtClaims } from "@portvakt/oauth";
import type { TokenMemory } from "./memory.ts";

/** What introspection found. `error` is a sentence for people; it never holds the token. */
export type Judgement =
  | {
      readonly active: true;
      /** The answer as it is written: JSON of the claims and `active`. */
      readonly body: string;
      /** The token's `cnf` claim: the key that it is bound to, where it is no bearer token. */
      readonly cnf: unknown;
    }
  | { readonly active: false; readonly error: string; readonly code: string };

export interface JudgeOptions {
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly memory: TokenMemory;
}

/** Tolerated difference of clocks, as `verifyJwt` has it. */
export const toleranceSeconds = 10;

/** A negative judgement. */
export function inactive(code: string, error: string): Judgement & { readonly active: false } {
  return { active: false, code, error };
}

const nothing: Readonly<Record<string, unknown>> = {};

/** The answer for an active token; a claim that happens to be named `active` does not get through. */
export function activeBody(
  claims: Readonly<JwtClaims>,
  more: Readonly<Record<string, unknown>> = nothing,
): string {
  const { active: claimed } = claims;
  const members = JSON.stringify(
    claimed === undefined && more === nothing ? claims : { ...claims, ...more, active: undefined },
  );
  return members === "{}" ? '{"active":true}' : `{"active":true,${members.slice(1)}`;
}

/** The claims that an answer was made of. */
export function claimsOf(body: string): Readonly<JwtClaims> {
  return JSON.parse(body) as JwtClaims;
}

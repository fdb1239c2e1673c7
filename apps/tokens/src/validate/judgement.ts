import type { Clock, JwtClaims } from "@portvakt/oauth";
import type { Remembered, TokenMemory } from "./memory.ts";

/** What introspection found. `error` is a sentence for people; it never holds the token. */
export type Judgement =
  | Remembered
  | { readonly active: false; readonly error: string; readonly code: string };

export interface JudgeOptions {
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly memory: TokenMemory;
}

/** A negative judgement. */
export function inactive(code: string, error: string): Judgement {
  return { active: false, code, error };
}

/** The answer for an active token; a claim that happens to be named `active` does not get through. */
export function activeBody(
  claims: Readonly<JwtClaims>,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const { active: _claimed, ...rest } = claims;
  return JSON.stringify({ active: true, ...rest, ...more });
}

import type { Explanation, Owner } from "../provider.ts";

/** What one error code of a provider means: what happened, who has to act, and how. */
export interface ErrorRow {
  readonly owner: Owner;
  /** Why the provider refused; no period at the end. */
  readonly cause: string;
  /** What to do about it; no period at the end. */
  readonly fix: string;
  /** True when the same request may succeed in a moment although the provider calls it a refusal. */
  readonly passing?: true;
}

/** Cause and fix as one line. */
export function hintOf({ cause, fix }: ErrorRow): string {
  return `${cause}. ${fix}`;
}

/** What is told of a row. */
export function explanationOf(code: string, row: ErrorRow): Explanation {
  return { code, owner: row.owner, hint: hintOf(row), ...(row.passing === true ? { passing: true } : {}) };
}

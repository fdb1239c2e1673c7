/** Who has to act, in words that fit after "whose move:". */
export const owners = {
  nobody: "nobody",
  caller: "the caller's team",
  target: "the target's team",
  user: "the user",
  platform: "the platform's team",
  provider: "the provider, or the organisation behind it",
} as const;

/** What a code means: what happened, whose move it is, and what the move is. Whole sentences. */
export interface Meaning {
  readonly cause: string;
  readonly owner: (typeof owners)[keyof typeof owners];
  readonly fix: string;
  /** A page of the provider's own, or of the specification. */
  readonly uri?: string;
}

/** A meaning without its code, as tables write it. */
export function meaning(owner: keyof typeof owners, cause: string, fix: string): Meaning {
  return { owner: owners[owner], cause, fix };
}

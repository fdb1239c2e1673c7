/** One thing that was looked at. `fix` says what to do about it, where that is anything. */
export interface Finding {
  readonly about: string;
  readonly state: "good" | "note" | "bad";
  readonly detail: string;
  readonly fix?: string;
}

/** Looks at one thing; several findings where there are several of them. */
export type Check = () => Promise<readonly Finding[]>;

/** Nothing to do. */
export function good(about: string, detail: string): Finding {
  return { about, state: "good", detail };
}

/** Somebody should know. */
export function note(about: string, detail: string, fix?: string): Finding {
  return { about, state: "note", detail, ...(fix === undefined ? {} : { fix }) };
}

/** Something does not work. */
export function bad(about: string, detail: string, fix: string): Finding {
  return { about, state: "bad", detail, fix };
}

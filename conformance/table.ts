// The shape of a specification's table.

/** How binding a requirement is, in RFC 2119's words; "-" where the row does not say. */
type Level = "must" | "should" | "may" | "-";

/** One requirement: either a check of a few lines, or the test elsewhere that proves it. */
export type Requirement = {
  readonly section: string;
  readonly level: Level;
  /** What the specification asks of us, in one clause. */
  readonly says: string;
} & (
  | { readonly run: () => Promise<void> | void }
  | {
      /** A named test: path from the root, and the test's name as it stands there. `npm test` runs it. */
      readonly test: readonly [file: string, name: string];
    }
);

export interface Specification {
  readonly name: string;
  readonly title: string;
  readonly requirements: readonly Requirement[];
}

/** What may become of somebody's access, and whether somebody has more or less of it afterwards. */
export const changeKinds = {
  gained: { gains: true, loses: false },
  lost: { gains: false, loses: true },
  /** It was there and is there, with more than before. */
  widened: { gains: true, loses: false },
  narrowed: { gains: false, loses: true },
  /** With something more and something less. */
  exchanged: { gains: true, loses: true },
} as const;

/** The name of a kind of change. */
export type ChangeKind = keyof typeof changeKinds;

/** Who or what is admitted: everybody, or those in a list. Left out: there is no access at all. */
export type Reach = "everybody" | readonly string[] | undefined;

/** What becomes of access that reaches this far today and that far tomorrow; nothing where that is the same. */
export function kindOfChange(before: Reach, after: Reach): ChangeKind | undefined {
  if (before === undefined) return after === undefined ? undefined : "gained";
  if (after === undefined) return "lost";
  const more = reachesBeyond(after, before);
  const less = reachesBeyond(before, after);
  if (more && less) return "exchanged";
  if (more) return "widened";
  return less ? "narrowed" : undefined;
}

function reachesBeyond(one: NonNullable<Reach>, other: NonNullable<Reach>): boolean {
  if (other === "everybody") return false;
  return one === "everybody" || one.some((item) => !other.includes(item));
}

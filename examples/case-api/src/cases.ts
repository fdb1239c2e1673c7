/** A case of the agency. */
export interface Case {
  readonly reference: string;
  readonly benefit: string;
  /** Initials; a case list needs no more. */
  readonly citizen: string;
  readonly status: "received" | "being considered" | "approved";
  /** Norwegian kroner a month. */
  readonly amount: number;
}

/** Invented cases. */
export const cases: readonly Case[] = [
  {
    reference: "B-10412",
    benefit: "Parental benefit",
    citizen: "K. F.",
    status: "being considered",
    amount: 31_200,
  },
  { reference: "B-11873", benefit: "Sickness benefit", citizen: "O. S.", status: "approved", amount: 27_450 },
  {
    reference: "B-12067",
    benefit: "Cash-for-care benefit",
    citizen: "D. H.",
    status: "approved",
    amount: 7_500,
  },
  { reference: "B-12990", benefit: "Parental benefit", citizen: "E. B.", status: "received", amount: 29_800 },
];

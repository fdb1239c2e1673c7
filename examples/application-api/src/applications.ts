/** A citizen's application for a benefit. */
export interface BenefitApplication {
  readonly reference: string;
  readonly benefit: string;
  readonly submitted: string;
  readonly status: "received" | "being considered" | "approved";
}

const benefits = ["Parental benefit", "Sickness benefit", "Cash-for-care benefit"] as const;
const states = ["received", "being considered", "approved"] as const;

/** An invented application, the same for the same person every time. */
export function applicationOf(person: string): BenefitApplication {
  const seed = Array.from(person).reduce((sum, letter) => (sum * 17 + letter.charCodeAt(0)) % 8191, 3);
  return {
    reference: `B-${String(10_000 + seed)}`,
    benefit: benefits[seed % benefits.length] ?? benefits[0],
    submitted: `${1 + (seed % 27)} October 2026`,
    status: states[seed % states.length] ?? states[0],
  };
}

/** One month's pay. */
export interface MonthlyIncome {
  readonly month: string;
  readonly employer: string;
  /** Norwegian kroner. */
  readonly amount: number;
}

const employers = [
  "Fjord Bakery",
  "Northern Light Ferries",
  "Moss and Lichen Gardens",
  "Harbour Library",
] as const;
const months = ["August 2026", "September 2026", "October 2026"] as const;

/** Invented income, the same for the same person every time. */
export function incomeOf(person: string): MonthlyIncome[] {
  const seed = Array.from(person).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);
  const employer = employers[seed % employers.length] ?? employers[0];
  return months.map((month, index) => ({
    month,
    employer,
    amount: 38_000 + (seed % 90) * 100 + index * 250,
  }));
}

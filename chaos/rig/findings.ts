// What a run saw, and what it must not have seen.
import { setTimeout as delay } from "node:timers/promises";

/** One line of the table: in which scenario, when, what was seen. */
export interface Line {
  readonly scenario: string;
  readonly moment: string;
  readonly saw: string;
}

/** A scenario's notes. */
export interface Notes {
  saw(moment: string, what: string): void;
  /** States what must hold; what does not is printed, and fails the run. */
  must(holds: boolean, otherwise: string): void;
  /** A figure for the line of JSON. */
  figure(name: string, value: number): void;
}

export interface Scenario {
  readonly name: string;
  readonly run: (notes: Notes) => Promise<void>;
}

export interface Outcome {
  readonly scenario: string;
  readonly ok: boolean;
  readonly figures: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  readonly lines: readonly Line[];
}

/** Runs scenarios one after the other; one that throws has failed, and the others still run. */
export async function runAll(
  scenarios: readonly Scenario[],
  say: (line: string) => void = () => undefined,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, run } of scenarios) {
    say(`… ${name}`);
    const [lines, problems, figures]: [Line[], string[], Record<string, number>] = [[], [], {}];
    await run({
      saw: (moment, what) => lines.push({ scenario: name, moment, saw: what }),
      must: (holds, otherwise) => void (holds || problems.push(otherwise)),
      figure: (figure, value) => (figures[figure] = Number(value.toFixed(3))),
    }).catch((error: unknown) => problems.push(error instanceof Error ? error.message : String(error)));
    outcomes.push({ scenario: name, ok: problems.length === 0, figures, problems, lines });
  }
  return outcomes;
}

/** The table for people. */
export function printed(outcomes: readonly Outcome[]): string {
  const width = Math.max(...outcomes.flatMap(({ lines }) => lines.map(({ moment }) => moment.length)), 0);
  return outcomes
    .map(({ scenario, ok, lines, problems }) =>
      [
        `${ok ? "ok    " : "WRONG "} ${scenario}`,
        ...lines.map(({ moment, saw }) => `         ${moment.padEnd(width)}   ${saw}`),
        ...problems.map((problem) => `       ! ${problem}`),
      ].join("\n"),
    )
    .join("\n\n");
}

/** The line of JSON for programs. */
export function jsonLine(kind: string, name: string, outcomes: readonly Outcome[]): string {
  const scenarios = outcomes.map(({ scenario, ok, figures, problems }) => ({
    scenario,
    ok,
    ...figures,
    ...(problems.length === 0 ? {} : { problems }),
  }));
  return JSON.stringify({ [kind]: name, ok: outcomes.every(({ ok }) => ok), scenarios });
}

/** How often each thing was seen, most frequent first: "200 ×12, 503 ×3". */
export function tally(seen: readonly (string | number)[]): string {
  const counts = new Map<string, number>();
  for (const one of seen) counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, times]) => `${what === "0" ? "no answer" : what} ×${times}`)
    .join(", ");
}

/** Tries until it holds; gives how long that took. *Throws* when it does not within `seconds`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<number> {
  const started = performance.now();
  const took = (): number => (performance.now() - started) / 1000;
  while (!(await holds())) {
    if (took() > seconds) throw new Error(`${what}: not within ${seconds} s`);
    await delay(20);
  }
  return took();
}

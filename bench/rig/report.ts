// Results as a table for people and one line of JSON for programs.

/** One comparison: ours beside a peer or a limit that was measured in the same run, both in `unit`, more being better. */
export interface Result {
  readonly bench: string;
  readonly ours: number;
  readonly beside: { readonly name: string; readonly value: number };
  readonly unit: string;
  /** ours / beside */
  readonly ratio: number;
  /** The least ratio that is good enough. */
  readonly target: number;
  readonly ok: boolean;
}

/** What is worth seeing beside the comparisons: name, then values by column. */
export interface Measured {
  readonly name: string;
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Something that is counted once: start-up time, memory; beside the peer's where there is one. */
export interface Figure {
  readonly name: string;
  readonly ours: number;
  readonly beside?: number;
  readonly unit: string;
}

export interface Report {
  readonly title: string;
  readonly measured: readonly Measured[];
  readonly figures?: readonly Figure[];
  readonly notes: readonly string[];
  /** The first is the benchmark's headline. */
  readonly results: readonly [Result, ...Result[]];
}

/** The middle of the values; NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - (sorted.length % 2 === 0 ? 1 : 0)], sorted[middle]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The value that `part` (0 to 1) of the values do not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Makes a result of two rates in the same unit. */
export function compare(
  bench: string,
  ours: number,
  beside: { name: string; value: number },
  target: number,
  unit: string,
): Result {
  const ratio = round(ours / beside.value, 3);
  return {
    bench,
    ours: round(ours),
    beside: { ...beside, value: round(beside.value) },
    unit,
    ratio,
    target,
    ok: ratio >= target,
  };
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

function rows(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(cell).join("   ")).join("\n");
}

/** The report for people. */
export function table(report: Report): string {
  const measured = report.measured.map(({ name, perCpuSecond, perSecond, p50, p99 }) => [
    name,
    perCpuSecond.toFixed(0),
    (1e6 / perCpuSecond).toFixed(0),
    perSecond.toFixed(0),
    p50.toFixed(2),
    p99.toFixed(2),
  ]);
  const results = report.results.map(({ bench, ours, beside, ratio, target, ok }) => [
    bench,
    String(ours),
    `${beside.value} (${beside.name})`,
    String(ratio),
    `>= ${target}`,
    ok ? "ok" : "MISSED",
  ]);
  return [
    report.title,
    "",
    ...(measured.length === 0
      ? []
      : [rows([["", "per CPU s", "CPU µs each", "per s", "p50 ms", "p99 ms"], ...measured]), ""]),
    rows([[report.results[0].unit, "ours", "beside", "ratio", "target", ""], ...results]),
    ...figureLines(report.figures),
    ...report.notes.map((note) => `\n${note}`),
  ].join("\n");
}

function figureLines(figures: readonly Figure[] = []): readonly string[] {
  if (figures.length === 0) return [];
  const shown = figures.map(({ name, ours, beside, unit }) => [
    name,
    `${ours.toFixed(1)} ${unit}`,
    beside === undefined ? "" : `${beside.toFixed(1)} ${unit}`,
  ]);
  return ["", rows([["", "ours", "beside"], ...shown])];
}

/** The headline as one line of JSON; further comparisons in `also`, what was counted once in `figures`. */
export function jsonLine(report: Report): string {
  const [headline, ...also] = report.results;
  const figures = report.figures?.map((figure) => ({
    ...figure,
    ours: round(figure.ours, 2),
    ...(figure.beside === undefined ? {} : { beside: round(figure.beside, 2) }),
  }));
  return JSON.stringify({
    ...headline,
    ...(also.length === 0 ? {} : { also }),
    ...(figures === undefined ? {} : { figures }),
  });
}

// How long answers take when requests come at a steady rate, which is how people meet a server.
import type { Load } from "./load.ts";
import type { Generator } from "./processes.ts";
import { median, quantile } from "./report.ts";

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface Steady {
  readonly name: string;
  readonly load: () => Load | Promise<Load>;
}

/** Alternating rounds of `seconds` (4) at a rate, 3 after one to warm up; medians, in the order of the subjects. */
export async function latenciesAt(
  generator: Generator,
  rate: number,
  subjects: readonly Steady[],
  { seconds = 4, rounds = 3 }: { seconds?: number; rounds?: number } = {},
): Promise<readonly Latency[]> {
  const done = subjects.map((): Latency[] => []);
  for (let round = 0; round <= rounds; round++)
    for (const [index, subject] of subjects.entries()) {
      const order = {
        ...(await subject.load()),
        rate,
        count: Math.round(rate * seconds),
        sleeps: true,
      } as const;
      const { latencies } = await generator.run(order);
      if (round > 0) done[index]?.push({ p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) });
    }
  return done.map((all) => ({
    p50: median(all.map(({ p50 }) => p50)),
    p99: median(all.map(({ p99 }) => p99)),
  }));
}

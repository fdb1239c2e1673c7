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

/** The beginning of a round, which does not count: connections are new, and the processor's caches are another's. */
const leadSeconds = 0.25;

/**
 * Alternating rounds of `seconds` (4) at a rate, 3 after one to warm up; medians, in the order of the subjects. All that is to be sent is
 * made beforehand: this process then has nothing to do that would take time from whoever is measured. Many short rounds tell more of a
 * server than a few long ones: the machine's own housekeeping then falls on few of them. The generator `sleeps` where it shares its core.
 */
export async function latenciesAt(
  generator: Generator,
  rate: number,
  subjects: readonly Steady[],
  { seconds = 4, rounds = 3, ...how }: { seconds?: number; rounds?: number; sleeps?: true } = {},
): Promise<readonly Latency[]> {
  const loads: Load[] = [];
  for (let round = 0; round <= rounds; round++)
    for (const subject of subjects) loads.push(await subject.load());
  const all: Latency[] = [];
  for (const load of loads) {
    const { latencies } = await generator.run({ ...load, ...how, rate, count: Math.round(rate * seconds) });
    const settled = latencies.slice(Math.round(rate * leadSeconds));
    all.push({ p50: quantile(settled, 0.5), p99: quantile(settled, 0.99) });
  }
  return subjects.map((_subject, index) => {
    const own = all.filter((_latency, nth) => nth >= subjects.length && nth % subjects.length === index);
    return { p50: median(own.map(({ p50 }) => p50)), p99: median(own.map(({ p99 }) => p99)) };
  });
}

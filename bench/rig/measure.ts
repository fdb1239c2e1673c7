// Rounds of load on several subjects in turn, so that whatever else the machine does falls on all of them alike.
import type { Load } from "./load.ts";
import { cpuSeconds } from "./processes.ts";
import type { Generator } from "./processes.ts";
import { median, quantile } from "./report.ts";
import type { Measured } from "./report.ts";

/** Something that answers requests. */
export interface Subject {
  readonly name: string;
  /** The processes whose CPU time counts. */
  readonly pids: readonly number[];
  /** A round's load, made anew for each round where requests may be used only once. */
  readonly load: () => Load | Promise<Load>;
}

interface Round {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function run(generator: Generator, subject: Subject): Promise<Round> {
  const order = await subject.load();
  const used = (): number => subject.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = used();
  const { seconds, latencies } = await generator.run(order);
  const cpu = used() - before;
  return {
    perCpuSecond: order.count / cpu,
    perSecond: order.count / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** Rounds that do not count: until then V8 spends as much on making code fast as on running it. */
const warmUps = 4;

/**
 * Warms every subject up, then measures `rounds` alternating rounds. In the order of the subjects, gives the CPU time of the best
 * round, since whatever else a machine does only ever adds to it, and the medians of all else.
 */
export async function measure(
  generator: Generator,
  subjects: readonly Subject[],
  rounds = 5,
): Promise<readonly Measured[]> {
  const done = subjects.map((): Round[] => []);
  for (let round = 0; round < warmUps + rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const result = await run(generator, subject);
      if (round >= warmUps) done[index]?.push(result);
    }
  }
  const middle = (all: readonly Round[], key: keyof Round): number => median(all.map((round) => round[key]));
  return subjects.map(({ name }, index) => {
    const all = done[index] ?? [];
    return {
      name,
      perCpuSecond: Math.max(...all.map(({ perCpuSecond }) => perCpuSecond)),
      perSecond: middle(all, "perSecond"),
      p50: middle(all, "p50"),
      p99: middle(all, "p99"),
    };
  });
}

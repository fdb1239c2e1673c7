// TokenX with many registered applications, and with one client that floods.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Load } from "./rig/load.ts";
import { measure } from "./rig/measure.ts";
import type { Subject } from "./rig/measure.ts";
import { megabytesOf, startGenerator, startPortvakt } from "./rig/processes.ts";
import type { Generator, Started } from "./rig/processes.ts";
import { median, quantile } from "./rig/report.ts";
import type { Figure, Measured } from "./rig/report.ts";

const crowds = [10, 1000, 10_000] as const;

/** What a crowd is made with: the server's settings, and how applications are registered and exchanges made. */
export interface CrowdParts {
  readonly env: Readonly<Record<string, string>>;
  /** Registers the two applications of the exchange. */
  readonly registerPair: (issuer: string) => Promise<void>;
  /** Registers one more application, of which nothing is asked. */
  readonly registerOther: (issuer: string, index: number) => Promise<void>;
  readonly exchanges: (issuer: string, count: number) => Promise<Load>;
}

export interface CrowdReport {
  readonly measured: readonly Measured[];
  readonly figures: readonly Figure[];
}

const issuerOf = ({ addresses }: Started): string => addresses["tokenx"] ?? "";

async function registerUpTo(parts: CrowdParts, issuer: string, from: number, to: number): Promise<void> {
  let next = from;
  const work = async (): Promise<void> => {
    while (next < to) await parts.registerOther(issuer, next++);
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

/** Exchanges with 10, 1,000 and 10,000 registered applications, and how long a start with 10,000 takes. */
export async function benchCrowd(generator: Generator, parts: CrowdParts): Promise<CrowdReport> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-bench-tokenx-"));
  const measured: Measured[] = [];
  try {
    const env = { ...parts.env, PORTVAKT_TOKENX_DATA_DIRECTORY: folder };
    {
      await using server = await startPortvakt("tokenx", env);
      const issuer = issuerOf(server);
      await parts.registerPair(issuer);
      let registered = 2;
      for (const crowd of crowds) {
        await registerUpTo(parts, issuer, registered, crowd);
        registered = crowd;
        const name = `TokenX, RS256, ${crowd} applications`;
        const subject: Subject = { name, pids: [server.pid], load: () => parts.exchanges(issuer, 1500) };
        measured.push(...(await measure(generator, [subject], 3)));
      }
    }
    const began = performance.now();
    await using again = await startPortvakt("tokenx", env);
    const ours = performance.now() - began;
    const megabytes = megabytesOf(again.pid);
    return {
      measured,
      figures: [
        { name: `start to listening with ${crowds[2]} applications`, ours, unit: "ms" },
        { name: `memory then, embedded database included`, ours: megabytes, unit: "MB" },
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One client sends as much as it can, far above its limit, while another exchanges 20 times a second. Every answer to the other must be a token. */
export async function flooded(
  generator: Generator,
  calm: (count: number) => Promise<Load>,
  flood: (count: number) => Promise<Load>,
): Promise<readonly Figure[]> {
  await using second = await startGenerator();
  const [rate, seconds] = [20, 5];
  const run = async (): Promise<readonly number[]> => {
    const order = { ...(await calm(rate * seconds)), rate, count: rate * seconds, sleeps: true } as const;
    return (await generator.run(order)).latencies;
  };
  await run();
  const alone = await run();
  const order = {
    ...(await flood(2000)),
    connections: 32,
    count: 4_000,
    anyStatus: true,
    sleeps: true,
  } as const;
  const storm = second.run(order);
  const during = await run();
  const { seconds: lasted } = await storm;
  return [
    {
      name: "another client's p50 while one floods (beside: alone)",
      ours: median(during),
      beside: median(alone),
      unit: "ms",
    },
    {
      name: "its p99 (beside: alone)",
      ours: quantile(during, 0.99),
      beside: quantile(alone, 0.99),
      unit: "ms",
    },
    { name: "requests/s of the flood", ours: order.count / lasted, unit: "1/s" },
  ];
}

/**
 * Owns: the benchmarks, each beside a peer or a limit that is measured in the same run.
 * Does not own: what is measured; servers are started as anybody starts them, through the command `portvakt`.
 * Request path: main -> one benchmark -> servers (one core) <- generator (another core) -> report.
 * Spec: the paragraphs "Speed" of the login proxy, the token API and TokenX.
 */
import { CannotRun, jsonLine as outcomesJson, printed } from "@portvakt/chaos/rig";
import { benchDev } from "./dev.ts";
import { benchLogin } from "./login.ts";
import { benchPolicy } from "./policy.ts";
import { benchRefresh } from "./refresh.ts";
import { CannotMeasure } from "./rig/problems.ts";
import { jsonLine, table } from "./rig/report.ts";
import type { Report } from "./rig/report.ts";
import { benchStandins } from "./standins.ts";
import { benchTokens } from "./tokens.ts";
import { benchTokenx } from "./tokenx.ts";

interface Told {
  /** For people, and one line for programs. */
  readonly text: string;
  readonly json: string;
  readonly ok: boolean;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const measuring = (bench: (args: readonly string[]) => Promise<Report>) => async (): Promise<Told> => {
  const report = await bench(process.argv.slice(3));
  // A target that was missed is printed, and fails nothing: how fast a machine is depends on who else uses it.
  return { text: table(report), json: jsonLine(report), ok: true };
};

async function refresh(): Promise<Told> {
  const outcomes = await benchRefresh(say);
  const title = "200 requests at once whose token has expired; 3 replicas of the login proxy, one Redis";
  const ok = outcomes.every((outcome) => outcome.ok);
  return {
    text: `${title}\n\n${printed(outcomes)}\n`,
    json: outcomesJson("bench", "refresh", outcomes),
    ok,
  };
}

const benches: Readonly<Record<string, () => Promise<Told>>> = {
  tokenx: measuring(benchTokenx),
  tokens: measuring(benchTokens),
  login: measuring(benchLogin),
  policy: measuring(benchPolicy),
  standins: measuring(benchStandins),
  dev: measuring(benchDev),
  refresh,
};

const name = process.argv[2] ?? "";
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench ${Object.keys(benches).join("|")}\n`);
  process.exitCode = 2;
} else {
  try {
    const { text, json, ok } = await bench();
    process.stdout.write(`${text}\n${json}\n`);
    process.exitCode = ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotMeasure || error instanceof CannotRun)) throw error;
    process.stderr.write(`bench ${name}: ${error.message}\n`);
    process.exitCode = 3;
  }
}

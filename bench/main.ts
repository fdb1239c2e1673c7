/**
 * Owns: the benchmarks, each beside a peer or a limit that is measured in the same run.
 * Does not own: what is measured; servers are started as anybody starts them, through the command `portvakt`.
 * Request path: main -> one benchmark -> servers (one core) <- generator (another core) -> report.
 * Spec: the paragraphs "Speed" of the login proxy, the token API and TokenX.
 */
import { benchLogin } from "./login.ts";
import { benchPolicy } from "./policy.ts";
import { CannotMeasure } from "./rig/problems.ts";
import { jsonLine, table } from "./rig/report.ts";
import type { Report } from "./rig/report.ts";
import { benchTokens } from "./tokens.ts";
import { benchTokenx } from "./tokenx.ts";

const benches: Readonly<Record<string, () => Promise<Report>>> = {
  tokenx: benchTokenx,
  tokens: benchTokens,
  login: benchLogin,
  policy: benchPolicy,
};

const name = process.argv[2] ?? "";
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench ${Object.keys(benches).join("|")}\n`);
  process.exitCode = 2;
} else {
  try {
    const report = await bench();
    process.stdout.write(`${table(report)}\n${jsonLine(report)}\n`);
    process.exitCode = report.results.every(({ ok }) => ok) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotMeasure)) throw error;
    process.stderr.write(`bench ${name}: ${error.message}\n`);
    process.exitCode = 3;
  }
}

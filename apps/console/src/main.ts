/**
 * Owns: starting the console as a process; the only place that reads the environment and the real clock.
 * Does not own: anything else; see index.ts.
 */
import { runProcess } from "@portvakt/runtime/process";
import { check, settings, start } from "./index.ts";

await runProcess({
  name: "portvakt-console",
  settings,
  start,
  check,
  env: process.env,
  argv: process.argv.slice(2),
  now: () => Date.now() / 1000,
});

/**
 * Owns: the process of the token API; alone may touch the environment and the real clock.
 * Does not own: anything else; see index.ts.
 * Request path: runProcess -> start.
 * Spec: spec page "Token API".
 */
import { runProcess } from "@portvakt/runtime/process";
import { check, settings, start } from "./index.ts";

await runProcess({
  name: "tokens",
  settings,
  start,
  check,
  env: process.env,
  argv: process.argv.slice(2),
  now: () => Date.now() / 1000,
});

/**
 * The process of TokenX.
 *
 * Owns: the environment and the clock of the process. Does not own: anything else.
 * Request path: none; it starts index.ts. Spec: design.md "Rooms".
 */
import { runProcess } from "@portvakt/runtime/process";
import { settings, start } from "./index.ts";

await runProcess({
  name: "tokenx",
  settings,
  start,
  env: process.env,
  argv: process.argv.slice(2),
  now: () => Date.now() / 1000,
});

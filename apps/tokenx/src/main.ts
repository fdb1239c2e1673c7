/**
 * The process of TokenX, and its one command: `rotate-signing-keys`, for the day a key leaks.
 *
 * Owns: the environment and the clock of the process. Does not own: anything else.
 * Request path: none; it starts index.ts. Spec: design.md "Rooms".
 */
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import { runProcess } from "@portvakt/runtime/process";
import { replaceSigningKeys, settings, start } from "./index.ts";

const [command, ...argv] = process.argv.slice(2);
const now = (): number => Date.now() / 1000;

if (command === "rotate-signing-keys") {
  const tools = { now, log: createLogger({ name: "tokenx" }), metrics: createMetrics() };
  await replaceSigningKeys(readSettings(settings, process.env), tools);
} else {
  const all = command === undefined ? argv : [command, ...argv];
  await runProcess({ name: "tokenx", settings, start, env: process.env, argv: all, now });
}

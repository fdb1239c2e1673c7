/**
 * Owns: how every server process of ours starts and ends: arguments, settings, logs, metrics, traces, status listener, signals, exit codes.
 * Does not own: what the process serves; an app gives `start`.
 * Request path: none; around all of them.
 * Spec: none; exit codes and signals as POSIX programs have them.
 */
export { runProcess } from "./run.ts";
export type { ProcessOptions, Running, Tools } from "./run.ts";
export { commonSettings, traceSettings } from "./settings.ts";
export type { CommonAliases, CommonSettings } from "./settings.ts";
export type { Readiness } from "../http/index.ts";

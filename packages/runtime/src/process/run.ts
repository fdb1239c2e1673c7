// A server process from its environment to its exit.
import { setTimeout as delay } from "node:timers/promises";
import { printSettings, readSettings, SettingsError } from "../config/index.ts";
import type { Environment, Schema, SettingsOf } from "../config/index.ts";
import { serveStatus } from "../http/index.ts";
import type { HttpServer, Readiness } from "../http/index.ts";
import { createLogger, createMetrics } from "../observe/index.ts";
import type { Logger, Metrics, Traces } from "../observe/index.ts";
import { traceSettings } from "./settings.ts";
import type { CommonSettings, TraceSettings } from "./settings.ts";
import { startTracesIfAsked, wantsTraces } from "./traces.ts";

/** What a process gives its app. */
export interface Tools {
  /** Seconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Aborted when the process is told to stop, `SHUTDOWN_WAIT` before `close` is called; for its listeners. */
  readonly stopping?: AbortSignal;
}

/** A started app. */
export interface Running {
  /** Its listeners by name, as URLs. */
  readonly addresses: Readonly<Record<string, string>>;
  ready(): Readiness | Promise<Readiness>;
  /** Drains and closes; takes at most the grace time of its settings. */
  close(): Promise<void>;
}

export interface ProcessOptions<S extends Schema & CommonSettings> {
  readonly name: string;
  readonly settings: S;
  readonly start: (settings: SettingsOf<S>, tools: Tools) => Promise<Running>;
  /** Finds what settings mean wrongly together, for `--check-config`. Throws SettingsError; `start` does the same by itself. */
  readonly check?: (settings: SettingsOf<S>) => void | Promise<void>;
  readonly env: Environment;
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  readonly now: () => number;
}

const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

function usage(name: string): string {
  return `${name}: configured by environment variables. Without an argument it serves until SIGTERM, and drains.

  --print-config   print every setting, its value and the variable that gave it (secrets masked), and exit
  --check-config   check the settings and exit: 0 when they are right, 2 and what is wrong when not
  --help           print this
`;
}

function report(name: string, { problems }: SettingsError): void {
  const lines = problems.map(
    ({ env, problem, hint }) => `  ${env} ${problem}${hint === undefined ? "" : `\n    hint: ${hint}`}`,
  );
  const title = problems.length === 1 ? "a setting is" : "settings are";
  process.stderr.write(`${name}: ${title} wrong\n${lines.join("\n")}\n`);
}

/** Prints every problem of the settings; gives undefined when there are any. */
function readOrReport<S extends Schema>(
  name: string,
  schema: S,
  env: Environment,
): SettingsOf<S> | undefined {
  try {
    return readSettings(schema, env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    report(name, error);
    return undefined;
  }
}

const argumentsKnown = ["--print-config", "--check-config", "--help"] as const;

/** Answers the arguments that need no running server. Gives the exit code, or undefined to go on and serve. */
async function answerArguments<S extends Schema & CommonSettings>(
  options: Pick<ProcessOptions<S>, "name" | "settings" | "env" | "argv" | "check">,
): Promise<number | undefined> {
  const { name, settings, env, argv } = options;
  const unknown = argv.find((argument) => !(argumentsKnown as readonly string[]).includes(argument));
  if (unknown !== undefined) {
    process.stderr.write(`${name}: unknown argument ${unknown}\nhint: ${name} --help\n`);
    return exitCodes.usage;
  }
  if (argv.includes("--help")) {
    process.stdout.write(usage(name));
    return exitCodes.ok;
  }
  const print = argv.includes("--print-config");
  if (print) process.stdout.write(printSettings(settings, env));
  if (!print && !argv.includes("--check-config")) return undefined;
  const read = readOrReport(name, settings, env);
  if (read === undefined) return exitCodes.usage;
  try {
    await options.check?.(read);
    if (!print) process.stdout.write(`${name}: the settings are right\n`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    report(name, error);
    return exitCodes.usage;
  }
}

/** The end of a process, once: from whichever of signal, lost parent or fatal error comes first. */
interface Ending {
  /** Called once the app runs. */
  running(app: Running, status: HttpServer, traces: Traces | undefined): void;
  /** Aborted when it begins. */
  readonly stopping: AbortSignal;
}

/** Time for clients that are busy to be answered once more, which tells them that their connections end. */
const leastWaitSeconds = 0.2;

function arrangeEnding(log: Logger, times: { graceSeconds: number; waitSeconds: number }): Ending {
  let app: Running | undefined;
  let status: HttpServer | undefined;
  let traces: Traces | undefined;
  let reason: string | undefined;
  const stopping = new AbortController();

  const finish = async (): Promise<void> => {
    // The app keeps its own grace time; this bound is for an app that fails to.
    const bound = setTimeout(
      () => {
        log.error("did not drain in time; exiting");
        process.exit(exitCodes.failed);
      },
      (times.graceSeconds + times.waitSeconds + 5) * 1000,
    );
    await delay(Math.max(times.waitSeconds, leastWaitSeconds) * 1000);
    await app?.close();
    await status?.close({ graceSeconds: 0 });
    await traces?.close();
    clearTimeout(bound);
    log.info("stopped");
    process.exit(exitCodes.ok);
  };
  const end = (why: string): void => {
    if (reason !== undefined) {
      log.warn({ reason: why }, "asked twice to stop; exiting now");
      process.exit(exitCodes.failed);
    }
    reason = why;
    log.info({ reason: why }, "stopping");
    stopping.abort();
    finish().catch(fatal);
  };
  const fatal = (error: unknown): void => {
    log.fatal({ err: error }, "unexpected error; exiting");
    process.exit(exitCodes.failed);
  };

  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGINT", () => end("SIGINT"));
  process.on("disconnect", () => {
    if (reason === undefined) end("parent process gone");
  });
  process.on("unhandledRejection", fatal);
  process.on("uncaughtException", fatal);
  // a parent that went while this process was still loading its modules sends no event any more
  if (process.send !== undefined && !process.connected) end("parent process gone");
  return {
    running(...parts) {
      [app, status, traces] = parts;
    },
    stopping: stopping.signal,
  };
}

async function startAndReport<S extends Schema & CommonSettings>(
  options: ProcessOptions<S>,
  settings: SettingsOf<S>,
  tools: Tools,
): Promise<void> {
  const common = settings as SettingsOf<CommonSettings>;
  const ending = arrangeEnding(tools.log, {
    graceSeconds: common.shutdownGraceSeconds,
    waitSeconds: common.shutdownWaitSeconds,
  });
  let app: Running | undefined;
  const ready = async (): Promise<Readiness> => {
    if (ending.stopping.aborted)
      return { ready: false, checks: { process: { ok: false, detail: "stopping" } } };
    return app === undefined
      ? { ready: false, checks: { process: { ok: false, detail: "starting" } } }
      : await app.ready();
  };
  // Listens before the app starts, so that liveness and "starting" can be seen from the first moment.
  const status = await serveStatus({
    address: common.statusAddress,
    ready,
    metrics: tools.metrics,
    log: tools.log,
  });
  const traces = await startTracesIfAsked(settings as unknown as TraceSettings, {
    ...tools,
    name: options.name,
  });
  app = await options.start(settings, { ...tools, stopping: ending.stopping });
  ending.running(app, status, traces);
  const addresses = { ...app.addresses, status: status.url };
  tools.log.info({ addresses }, "listening");
  // a parent that is just going cannot be told; "disconnect" says the rest
  if (process.connected) process.send?.({ type: "listening", addresses }, undefined, undefined, () => {});
}

/**
 * Runs a server process: reads and checks its settings, starts it, says where it listens, and ends it well.
 *
 * Exit codes: 0 after a graceful end, 1 for a failure, 2 for wrong settings or arguments. SIGTERM or SIGINT drains; a second
 * one ends at once. Started with an IPC channel, it sends `{ type: "listening", addresses }` and ends when its parent does.
 */
export async function runProcess<S extends Schema & CommonSettings>(
  options: ProcessOptions<S>,
): Promise<void> {
  const { name, env } = options;
  const schema = { ...options.settings, ...traceSettings };
  const answered = await answerArguments({ ...options, settings: schema });
  const settings = answered === undefined ? readOrReport(name, schema, env) : undefined;
  if (settings === undefined) {
    process.exitCode = answered ?? exitCodes.usage;
    process.disconnect?.();
    return;
  }
  const { logLevel, logFormat } = settings as SettingsOf<CommonSettings>;
  const traces = wantsTraces(settings);
  const log = createLogger({ name, level: logLevel, format: logFormat, traces });
  const tools: Tools = { now: options.now, log, metrics: createMetrics({ processMetrics: true }) };
  try {
    await startAndReport(options, settings, tools);
  } catch (error) {
    // What two settings mean together only the app can tell, when it starts.
    if (error instanceof SettingsError) {
      report(name, error);
      process.exit(exitCodes.usage);
    }
    log.fatal({ err: error }, "could not start");
    process.exit(exitCodes.failed);
  }
}

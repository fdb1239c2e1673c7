// JSON logs (or a readable line each) through pino, without secrets.
import { pino } from "pino";
import type { Logger as PinoLogger, LoggerOptions as PinoOptions } from "pino";
import { clean, scrub, scrubLine } from "./redact.ts";
import { standardOutput } from "./standard-output.ts";
import { tracing } from "./traces.ts";

/** A pino logger whose every field and message is redacted. */
export type Logger = PinoLogger;

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ["json", "text"] as const;
export type LogFormat = (typeof logFormats)[number];

/** Where log lines go; standard output when nothing is given. */
export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  readonly name: string;
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  readonly destination?: LogDestination;
  /** Whether lines name the span that they were written in, as `trace_id` and `span_id`. */
  readonly traces?: boolean;
}

/** One readable line: time, level, message, then the fields as JSON. */
function textLine(line: string): string {
  const { time, level, name, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(name)}: ${typeof msg === "string" ? msg : ""}${fields}\n`;
}

function cleanRecord(record: Record<string, unknown>): Record<string, unknown> {
  return clean(record) as Record<string, unknown>;
}

/**
 * A logger for one process. Secret fields (tokens, cookies, authorization codes, assertions, keys) are replaced by name,
 * at any depth; tokens in texts, errors and URLs by their look; and no finished line holds anything shaped like a JWT.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings: PinoOptions = {
    name: options.name,
    level: options.level ?? "info",
    base: { name: options.name },
    ...(options.traces === true ? { mixin: () => tracing()?.ids() ?? {} } : {}),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: cleanRecord, bindings: cleanRecord },
    // Errors are cleaned in formatters.log; pino's own serializer would copy their every property.
    serializers: { err: (error: unknown) => error, error: (error: unknown) => error },
    hooks: {
      logMethod(args, method) {
        const scrubbed = args.map((value: unknown) =>
          typeof value === "string" ? scrub(value) : value instanceof Error ? { err: value } : value,
        );
        method.apply(this, scrubbed as Parameters<typeof method>);
      },
      streamWrite: options.format === "text" ? (line) => textLine(scrubLine(line)) : scrubLine,
    },
  };
  const log = pino(settings, options.destination ?? standardOutput());
  // pino does not ask its `bindings` formatter about children. Theirs inherit this method.
  const original: unknown = Reflect.get(log, "child");
  const child = original as (this: Logger, bindings: object, options?: object) => Logger;
  Reflect.set(
    log,
    "child",
    function cleanChild(this: Logger, bindings: Record<string, unknown>, options?: object) {
      return child.call(this, cleanRecord(bindings), options);
    },
  );
  return log;
}

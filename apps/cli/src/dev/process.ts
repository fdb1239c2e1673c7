import { fork, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** How to start one process of the platform. */
export interface ProcessSpec {
  readonly name: string;
  /** What it is, for sentences: `TokenX`, `the sidecar of portal`. */
  readonly title: string;
  /** A module to run with this Node. It reports by IPC `{ type: "listening" }` when it serves. */
  readonly module: string;
  readonly argv?: readonly string[];
  readonly execArgv?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly logFile: string;
  /** Its output is for the person at the terminal, every line of it. */
  readonly loud?: boolean;
}

export interface Watcher {
  /** A line worth showing. */
  line(spec: ProcessSpec, text: string): void;
  /** It ended although nobody asked. `again` is the seconds until the next start, or undefined: given up. */
  died(spec: ProcessSpec, how: string, again: number | undefined): void;
  back(spec: ProcessSpec): void;
}

/** A process that is started again when it dies, with a back-off, at most `most` times in a minute. */
export interface Supervised {
  readonly spec: ProcessSpec;
  /** Settles when it listens for the first time; rejects when it was given up before that. */
  readonly listening: Promise<void>;
  readonly pid: number | undefined;
  stop(graceSeconds: number): Promise<void>;
}

const most = 5;
const windowSeconds = 60;
const tailLines = 12;

/** Died before it ever listened, and was given up. `tail` is the end of what it said. */
export class NeverListened extends Error {
  readonly spec: ProcessSpec;
  readonly tail: readonly string[];
  constructor(spec: ProcessSpec, how: string, tail: readonly string[]) {
    super(`${spec.title} ended while starting: ${how}`);
    this.name = "NeverListened";
    this.spec = spec;
    this.tail = tail;
  }
}

/** Starts a process and keeps it running. `now` is in seconds. */
export function supervise(spec: ProcessSpec, watcher: Watcher, now: () => number): Supervised {
  const log = createWriteStream(spec.logFile, { flags: "w", mode: 0o600 });
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {}); // whoever waits for it hears of it; nobody has to
  const deaths: number[] = [];
  let child: ChildProcess;
  let stopping = false;
  let listened = false;
  let timer: NodeJS.Timeout | undefined;
  let gone = Promise.resolve();

  const start = (): void => {
    const tail: string[] = [];
    child = launch(spec);
    readLines(child.stdout, (line) => take(line, false));
    readLines(child.stderr, (line) => take(line, true));
    const take = (line: string, isError: boolean): void => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > tailLines) tail.shift();
      const shown = spec.loud === true ? line : worthShowing(line, isError);
      if (shown !== undefined && !stopping) watcher.line(spec, shown);
    };
    child.on("message", (message) => {
      if (!isListening(message)) return;
      if (listened) watcher.back(spec);
      listened = true;
      first.resolve();
    });
    gone = new Promise((resolve) => {
      child.once("error", (error) => take(`could not be started: ${error.message}`, true));
      child.once("close", (code, signal) => {
        resolve();
        if (!stopping) died(signal ?? `exit code ${code ?? "unknown"}`, tail, code);
      });
    });
  };

  const died = (how: string, tail: readonly string[], code: number | null): void => {
    const at = now();
    deaths.push(at);
    while ((deaths[0] ?? at) < at - windowSeconds) deaths.shift();
    // wrong settings (exit code 2) stay wrong, so that starting again would only repeat them
    const hopeless = deaths.length > most || (code === 2 && !listened);
    const again = hopeless ? undefined : 0.25 * 2 ** (deaths.length - 1);
    if (again === undefined && !listened) first.reject(new NeverListened(spec, how, tail));
    watcher.died(spec, how, again);
    if (again !== undefined) timer = setTimeout(start, again * 1000);
  };

  start();
  return {
    spec,
    listening: first.promise,
    get pid() {
      return child.pid;
    },
    async stop(graceSeconds) {
      stopping = true;
      clearTimeout(timer);
      await end(child, gone, graceSeconds);
      await closed(log);
    },
  };
}

// A group of its own: Ctrl-C reaches the supervisor only, which then ends everybody in order. When the supervisor is
// killed instead, the IPC channel closes, and every process takes that as the sign to end.
function launch(spec: ProcessSpec): ChildProcess {
  return fork(spec.module, [...(spec.argv ?? [])], {
    cwd: spec.folder,
    env: spec.env,
    execArgv: [...(spec.execArgv ?? [])],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
}

async function end(child: ChildProcess, gone: Promise<void>, graceSeconds: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceSeconds * 1000);
  await gone;
  clearTimeout(timer);
}

function closed(log: WriteStream): Promise<void> {
  return new Promise((resolve) => log.end(resolve));
}

function readLines(stream: Readable | null, take: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity }).on("line", take);
}

function isListening(message: unknown): boolean {
  return typeof message === "object" && message !== null && "type" in message && message.type === "listening";
}

const shownLevels = new Set(["warn", "error", "fatal"]);

/** What a person should see of a log line: warnings and worse of a JSON log, and whatever else came on stderr. */
export function worthShowing(line: string, isError: boolean): string | undefined {
  if (line.trim() === "") return undefined;
  if (!line.startsWith("{")) return isError ? line : undefined;
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return isError ? line : undefined;
  }
  if (typeof entry !== "object" || entry === null || !("level" in entry)) return undefined;
  const { level } = entry;
  const severe = typeof level === "number" ? level >= 40 : shownLevels.has(String(level));
  if (!severe) return undefined;
  const words = "msg" in entry ? String(entry.msg) : line;
  const cause = "err" in entry ? messageOf(entry.err) : undefined;
  return cause === undefined ? words : `${words}: ${cause}`;
}

function messageOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("message" in error)) return undefined;
  return String(error.message);
}

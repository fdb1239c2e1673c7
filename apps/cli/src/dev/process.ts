import { fork, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { worthShowing } from "./log-lines.ts";

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

/** A process that is started again when it dies, with a back-off, at most `mostDeaths` times in a minute. */
export interface Supervised {
  readonly spec: ProcessSpec;
  /** Settles when it listens for the first time; rejects when it was given up before that. */
  readonly listening: Promise<void>;
  readonly pid: number | undefined;
  stop(graceSeconds: number): Promise<void>;
}

const mostDeaths = 5;
/** What has never listened is tried once more: a passing trouble may be over, a wrong set-up is not. */
const mostDeathsAtStart = 1;
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
  let stopping = false;
  let listened = false;
  let timer: NodeJS.Timeout | undefined;

  const events: Events = {
    line(text, isError) {
      log.write(`${text}\n`);
      const shown = spec.loud === true ? text : worthShowing(text, isError);
      if (shown !== undefined && !stopping) watcher.line(spec, shown);
    },
    listening() {
      if (listened) watcher.back(spec);
      listened = true;
      first.resolve();
    },
    ended(how, code, tail) {
      if (stopping) return;
      // wrong settings (exit code 2) stay wrong
      const most = listened ? mostDeaths : code === 2 ? 0 : mostDeathsAtStart;
      const again = secondsToNextStart(deaths, now(), most);
      if (again === undefined && !listened) first.reject(new NeverListened(spec, how, tail));
      watcher.died(spec, how, again);
      if (again !== undefined) timer = setTimeout(() => (current = start(spec, events)), again * 1000);
    },
  };
  let current = start(spec, events);
  return {
    spec,
    listening: first.promise,
    get pid() {
      return current.child.pid;
    },
    async stop(graceSeconds) {
      stopping = true;
      clearTimeout(timer);
      await end(current, graceSeconds);
      await new Promise((done) => void log.end(done));
    },
  };
}

/** Notes a death; gives the back-off, or undefined after more than `most` deaths within the window. */
function secondsToNextStart(deaths: number[], at: number, most: number): number | undefined {
  deaths.push(at);
  while ((deaths[0] ?? at) < at - windowSeconds) deaths.shift();
  if (deaths.length > most) return undefined;
  return 0.25 * 2 ** (deaths.length - 1);
}

interface Events {
  line(text: string, isError: boolean): void;
  listening(): void;
  ended(how: string, code: number | null, tail: readonly string[]): void;
}

interface Started {
  readonly child: ChildProcess;
  readonly gone: Promise<void>;
}

// A process group of its own: Ctrl-C reaches the supervisor only, which then ends everybody in order. When the supervisor
// is killed instead, the IPC channel closes, and every process takes that as the sign to end.
function start(spec: ProcessSpec, events: Events): Started {
  const child = fork(spec.module, [...(spec.argv ?? [])], {
    cwd: spec.folder,
    env: spec.env,
    execArgv: [...(spec.execArgv ?? [])],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  const tail: string[] = [];
  const take = (text: string, isError: boolean): void => {
    tail.push(text);
    if (tail.length > tailLines) tail.shift();
    events.line(text, isError);
  };
  readLines(child.stdout, (text) => take(text, false));
  readLines(child.stderr, (text) => take(text, true));
  child.on("message", (message) => {
    if (isListening(message)) events.listening();
  });
  child.once("error", (error) => take(`could not be started: ${error.message}`, true));
  const gone = new Promise<void>((resolve) => {
    child.once("close", (code, signal) => {
      resolve();
      events.ended(signal ?? `exit code ${code ?? "unknown"}`, code, tail);
    });
  });
  return { child, gone };
}

async function end({ child, gone }: Started, graceSeconds: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceSeconds * 1000);
  await gone;
  clearTimeout(timer);
}

function readLines(stream: Readable | null, take: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity }).on("line", take);
}

function isListening(message: unknown): boolean {
  return typeof message === "object" && message !== null && "type" in message && message.type === "listening";
}

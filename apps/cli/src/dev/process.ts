import { fork, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { systemReason } from "../failure.ts";
import { worthShowing } from "./log-lines.ts";

/** How to start one process of the platform. */
export interface ProcessSpec {
  readonly name: string;
  /** What it is, for sentences: `TokenX`, `the sidecar of portal`. */
  readonly title: string;
  /**
   * A module to run with this Node. It reports by IPC `{ type: "listening" }` when it serves, and `{ type: "group", group }`
   * when it started a process group, which must not outlive it.
   */
  readonly module: string;
  readonly argv?: readonly string[];
  readonly execArgv?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly logFile: string;
  /** Its output is for the person at the terminal, every line of it. */
  readonly loud?: boolean;
  /** Somebody's own program: when its start fails, it has said why, and would only say so again. */
  readonly triedOnce?: boolean;
}

export interface Watcher {
  /** A line worth showing. */
  line(spec: ProcessSpec, text: string): void;
  /** What a person has to know of it besides, in a sentence. */
  note(spec: ProcessSpec, sentence: string): void;
  /**
   * It ended although nobody asked. `again` is the seconds until the next start, or undefined: given up. Of one that never
   * listened, only `listening` tells that.
   */
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
/** How long the output of a process that ended is read on, when something else holds it open. */
const lingerMs = 500;

/** Died before it ever listened, and was given up. `tail` is the end of what it said, without stacks. */
export class NeverListened extends Error {
  readonly spec: ProcessSpec;
  readonly how: string;
  readonly tail: readonly string[];
  constructor(spec: ProcessSpec, how: string, tail: readonly string[]) {
    super(`${spec.title} ended while starting: ${how}`);
    this.name = "NeverListened";
    this.spec = spec;
    this.how = how;
    this.tail = tail;
  }
}

/** Starts a process and keeps it running. `now` is in seconds. */
export function supervise(spec: ProcessSpec, watcher: Watcher, now: () => number): Supervised {
  const log = createWriteStream(spec.logFile, { flags: "w", mode: 0o600 });
  log.on("error", (error) => {
    const reason = systemReason(error) ?? error.message;
    watcher.note(spec, `its log ends here, as ${spec.logFile} cannot be written: ${reason}`);
  });
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {}); // whoever waits for it hears of it; nobody has to
  const deaths: number[] = [];
  let stopping = false;
  let listened = false;
  let timer: NodeJS.Timeout | undefined;

  const events: Events = {
    line(text, isError) {
      if (log.writable) log.write(`${text}\n`);
      const shown = spec.loud === true ? text : worthShowing(text, isError);
      if (shown !== undefined && !stopping) watcher.line(spec, shown);
    },
    listening() {
      if (listened) watcher.back(spec);
      listened = true;
      first.resolve();
    },
    heldOpen() {
      watcher.note(spec, "something that it started made itself independent of it; that is not ended here");
    },
    ended(how, code, tail) {
      if (stopping) return;
      // wrong settings (exit code 2) stay wrong
      const mostAtStart = code === 2 || spec.triedOnce === true ? 0 : mostDeathsAtStart;
      const again = secondsToNextStart(deaths, now(), listened ? mostDeaths : mostAtStart);
      if (again === undefined && !listened) first.reject(new NeverListened(spec, how, tail));
      else watcher.died(spec, how, again);
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
      if (log.writable) await new Promise((done) => void log.end(done));
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
  /** It ended, and something else holds its output open. */
  heldOpen(): void;
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
    if (!stackFrame.test(text)) tail.push(text);
    if (tail.length > tailLines) tail.shift();
    events.line(text, isError);
  };
  readLines(child.stdout, (text) => take(text, false));
  readLines(child.stderr, (text) => take(text, true));
  let group: number | undefined;
  child.on("message", (message) => {
    if (isListening(message)) events.listening();
    else group = groupOf(message) ?? group;
  });
  const over = Promise.withResolvers<[number | null, NodeJS.Signals | null]>();
  child.once("error", (error) => {
    take(`could not be started: ${error.message}`, true);
    if (child.pid === undefined) over.resolve([null, null]);
  });
  child.once("exit", () => {
    if (group !== undefined) killGroup(group);
    const timer = setTimeout(() => {
      events.heldOpen();
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, lingerMs);
    child.once("close", () => clearTimeout(timer));
  });
  child.once("close", (...how) => over.resolve(how));
  const gone = over.promise.then(([code, signal]) =>
    events.ended(signal ?? `exit code ${code ?? "unknown"}`, code, tail),
  );
  return { child, gone };
}

/** A line of a stack below its message, as V8 writes it. */
const stackFrame = /^\s+at /;

/** Whoever is left of a process group. */
function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // nobody is
  }
}

async function end({ child, gone }: Started, graceSeconds: number): Promise<void> {
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

function groupOf(message: unknown): number | undefined {
  if (typeof message !== "object" || message === null || !("group" in message)) return undefined;
  const { group } = message;
  return typeof group === "number" && Number.isInteger(group) && group > 1 ? group : undefined;
}

// Servers and the load generator as child processes, each on a core of its own, and the CPU time that a process has used.
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Load, Loaded } from "./load.ts";
import { CannotMeasure } from "./problems.ts";

/** The cores: what is measured runs on the first, what measures on the second. `both` for a server that the load shares a core with. */
export const cores = { server: "0", load: "1", both: "0,1" } as const;
type Cores = (typeof cores)[keyof typeof cores];

/** Full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  try {
    return execFileSync("sh", ["-c", `PATH="$PATH:/usr/sbin:/sbin" command -v ${name}`], {
      encoding: "utf8",
    }).trim();
  } catch {
    return undefined;
  }
}

/** The command's beginning that keeps a program on a core. */
export function onCore(core: Cores): readonly [string, ...string[]] {
  const program = findProgram("taskset");
  if (program === undefined) throw new CannotMeasure("needs taskset (Debian: apt install util-linux)");
  return [program, "-c", core];
}

/** Keeps this process, and what it starts without a core of its own, off the server's core. *Throws* CannotMeasure where one core each cannot be had. */
export function reserveCores(): void {
  if (process.platform !== "linux")
    throw new CannotMeasure("needs Linux: CPU time is read from /proc and cores are set with taskset");
  if (availableParallelism() < 2)
    throw new CannotMeasure("needs two cores: one for the server, one for the load");
  const [taskset] = onCore(cores.load);
  execFileSync(taskset, ["-a", "-c", "-p", cores.load, String(process.pid)], { stdio: "ignore" });
}

export interface Started extends AsyncDisposable {
  readonly pid: number;
  readonly addresses: Readonly<Record<string, string>>;
  readonly child: ChildProcess;
}

export interface StartOptions {
  readonly core: Cores;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await gone;
  clearTimeout(late);
}

/** Starts a Node program on a core, and resolves when it says that it listens. Its logs are made, and go nowhere. */
export async function startNode({ core, args, env = {} }: StartOptions): Promise<Started> {
  const [taskset, ...pinned] = onCore(core);
  const child = spawn(taskset, [...pinned, process.execPath, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const listening = once(child, "message") as Promise<[{ addresses: Record<string, string> }]>;
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${args.join(" ")} ended with ${String(code)} before it listened`);
  });
  const [message] = await Promise.race([listening, ended]);
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    addresses: message.addresses,
    child,
    [Symbol.asyncDispose]: () => stop(child),
  };
}

/** Starts one of our servers through the command. */
export function startPortvakt(
  verb: string,
  env: Readonly<Record<string, string>>,
  core: Cores = cores.server,
): Promise<Started> {
  const command = fileURLToPath(new URL("../../apps/cli/bin/portvakt.js", import.meta.url));
  return startNode({ core, args: [command, verb], env });
}

/** Starts a program that is not Node's, on a core. */
export function startProgram(
  core: Cores,
  program: string,
  args: readonly string[],
): { child: ChildProcess } & AsyncDisposable {
  const [taskset, ...pinned] = onCore(core);
  const child = spawn(taskset, [...pinned, program, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { child, [Symbol.asyncDispose]: () => stop(child) };
}

/** CPU seconds, user and system, that a process and its threads have used, to the nanosecond. */
export function cpuSeconds(pid: number): number {
  const ran = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ", 1)[0]) / 1e9;
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + ran(thread), 0);
}

/** Anonymous memory of a process (what it has made, without the programs that it shares), megabytes. */
export function megabytesOf(pid: number): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kilobytes) / 1024;
}

/** The processes that a process has started. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

export interface Generator extends AsyncDisposable {
  run(load: Load): Promise<Loaded>;
}

/** Starts the load generator on its core. */
export async function startGenerator(): Promise<Generator> {
  const program = fileURLToPath(new URL("generator.ts", import.meta.url));
  const started = await startNode({ core: cores.load, args: [program] });
  return {
    run: async (order) => {
      const answered = once(started.child, "message") as Promise<[{ loaded?: Loaded; error?: string }]>;
      started.child.send(order);
      const [{ loaded, error }] = await answered;
      if (loaded === undefined) throw new Error(error);
      return loaded;
    },
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

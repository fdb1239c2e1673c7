// The demo platform as a user starts it: `portvakt dev --demo`, in a process of its own, on free ports.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const launcher = resolve(import.meta.dirname, "../../apps/cli/bin/portvakt.js");

/** What a run of the command came to. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a running platform says of itself in dev.json. */
interface State {
  readonly pid: number;
  readonly control: string;
  readonly console: string;
  readonly applications: Readonly<
    Record<
      string,
      { readonly url: string; readonly tokens?: string; readonly clients: Readonly<Record<string, string>> }
    >
  >;
  readonly providers: Readonly<Record<string, { readonly issuer: string }>>;
}

/** A platform that is up. */
export interface Demo {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly state: State;
  url(application: string): string;
  /** What it has printed so far. */
  printed(): string;
  /** Resolves when what it printed after the first `from` characters matches. *Throws* after 30 s. */
  prints(pattern: RegExp, from?: number): Promise<void>;
  /** Ctrl-C, and the end of it. The exit code. */
  interrupt(): Promise<number | null>;
}

/** Starts `portvakt dev --demo` and resolves when it says that it is up. */
export async function startDemo(env: Readonly<Record<string, string>> = {}): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-demo-"));
  const child = spawn(process.execPath, [launcher, "dev", "--demo", "--port", "0", "--state", folder], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  let printed = "";
  const onPrint = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      for (const look of onPrint) look();
    });
  }
  const ended = once(child, "exit") as Promise<[number | null]>;
  const prints = async (pattern: RegExp, from = 0, seconds = 30): Promise<void> => {
    const { promise, resolve: matched, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (pattern.test(printed.slice(from))) matched();
    };
    const give = (why: string): void =>
      reject(new Error(`no ${String(pattern)} ${why}:\n${printed.slice(-4000)}`));
    const timer = setTimeout(give, seconds * 1000, `within ${seconds} s`);
    void ended.then(() => give("before it ended"));
    onPrint.add(look);
    look();
    await promise.finally(() => {
      clearTimeout(timer);
      onPrint.delete(look);
    });
  };
  const interrupt = async (): Promise<number | null> => {
    child.kill("SIGINT");
    const [code] = await ended;
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  await prints(/Portvakt is up/u, 0, 60).catch(async (error: unknown) => {
    await interrupt();
    throw error;
  });
  const state = JSON.parse(await readFile(join(folder, "dev.json"), "utf8")) as State;
  return {
    process: child,
    folder,
    state,
    printed: () => printed,
    prints,
    interrupt,
    url: (application) => state.applications[application]?.url ?? "",
  };
}

/** Runs the command to its end. */
export async function portvakt(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

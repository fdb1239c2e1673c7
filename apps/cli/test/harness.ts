import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/portvakt.js", import.meta.url));
const folders: string[] = [];
const started = new Set<ChildProcess>();

after(async () => {
  for (const child of started) child.kill("SIGKILL");
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-whole-"));
  folders.push(folder);
  return folder;
}

export function portvakt(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], NO_COLOR: "1", ...env },
  });
  started.add(child);
  child.once("exit", () => started.delete(child));
  return child;
}

export async function output(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = portvakt(args, folder, env);
  assert.ok(child.stdout && child.stderr);
  const closed = once(child, "close") as Promise<[number | null]>;
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, err };
}

/** Settles when the stream has said the words; fails with everything it said when it ends before. */
export function said(child: ChildProcess, stream: "stdout" | "stderr", words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let all = "";
    const look = (chunk: Buffer): void => {
      all += chunk.toString();
      if (all.includes(words)) resolve();
    };
    child[stream]?.on("data", look);
    child.once("close", () => reject(new Error(`ended without "${words}": ${all}`)));
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Settles when the process is gone; the test's own time limit is the bound. */
export async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

export interface State {
  readonly pid: number;
  readonly processes: Readonly<Record<string, number>>;
  readonly applications: Readonly<Record<string, { readonly url: string; readonly direct: string }>>;
}

/** Starts `portvakt dev` on free ports, and waits until it is up. */
export async function start(
  folder: string,
  args: readonly string[] = ["--demo"],
): Promise<{ dev: ChildProcess; state: State; errors: () => string }> {
  const dev = portvakt(["dev", "--port", "0", ...args], folder);
  let errors = "";
  dev.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  await said(dev, "stdout", "Portvakt is up").catch((error: unknown) => {
    throw new Error(errors, { cause: error });
  });
  const state = JSON.parse(await readFile(join(folder, ".portvakt", "dev.json"), "utf8")) as State;
  return { dev, state, errors: () => errors };
}

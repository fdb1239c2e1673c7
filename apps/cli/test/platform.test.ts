import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/portvakt.js", import.meta.url));
const folders: string[] = [];
const started = new Set<ChildProcess>();

after(async () => {
  for (const child of started) child.kill("SIGKILL");
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-whole-"));
  folders.push(folder);
  return folder;
}

function portvakt(args: readonly string[], folder: string): ChildProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], NO_COLOR: "1" },
  });
  started.add(child);
  child.once("exit", () => started.delete(child));
  return child;
}

async function output(
  args: readonly string[],
  folder: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = portvakt(args, folder);
  assert.ok(child.stdout && child.stderr);
  const closed = once(child, "close") as Promise<[number | null]>;
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, err };
}

/** Settles when the stream has said the words; fails with everything it said when it ends before. */
function said(child: ChildProcess, stream: "stdout" | "stderr", words: string): Promise<void> {
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Settles when the process is gone; the test's own time limit is the bound. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

interface State {
  readonly pid: number;
  readonly processes: Readonly<Record<string, number>>;
}

async function start(folder: string): Promise<{ dev: ChildProcess; state: State }> {
  const dev = portvakt(["dev", "--demo", "--port", "0"], folder);
  let errors = "";
  dev.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  await said(dev, "stdout", "Portvakt is up").catch((error: unknown) => {
    throw new Error(errors, { cause: error });
  });
  return { dev, state: JSON.parse(await readFile(join(folder, ".portvakt", "dev.json"), "utf8")) as State };
}

interface Report {
  readonly journeys: readonly { id: string; name: string; ok: boolean; ms: number }[];
}

describe("the whole platform", { timeout: 180_000 }, () => {
  test("runs the seven journeys, outlives the death of a server, and leaves no process", async () => {
    const folder = await newFolder();
    const { dev, state } = await start(folder);
    assert.equal((await stat(join(folder, ".portvakt", "keys.json"))).mode & 0o777, 0o600);

    const tour = await output(["tour", "--json"], folder);
    assert.equal(tour.code, 0, tour.err);
    const { journeys } = JSON.parse(tour.out) as Report;
    assert.deepEqual(
      journeys.map(({ id, ok }) => ({ id, ok })),
      ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "4"].map((id) => ({ id, ok: true })),
    );
    for (const journey of journeys) assert.deepEqual(Object.keys(journey), ["id", "name", "ok", "ms"]);

    const second = await output(["dev", "--demo"], folder);
    assert.equal(second.code, 3);
    assert.match(second.err, /a platform is already running here, as process \d+/);

    const back = said(dev, "stderr", "TokenX is back");
    const named = said(dev, "stderr", "TokenX ended unexpectedly (SIGKILL); starting it again in 0.25 s");
    process.kill(state.processes["tokenx"] ?? 0, "SIGKILL");
    await named;
    const broken = await output(["tour", "--only", "2.1"], folder);
    if (broken.code !== 0) {
      assert.equal(broken.code, 1);
      assert.match(broken.out, /FAIL {2}2\.1[\s\S]*tokenx/i);
    }
    await back;
    const again = await output(["tour", "--json"], folder);
    assert.equal(again.code, 0, again.err);

    dev.kill("SIGTERM");
    const [code] = (await once(dev, "exit")) as [number | null];
    assert.equal(code, 0);
    assert.deepEqual(
      Object.entries(state.processes).filter(([, pid]) => isAlive(pid)),
      [],
    );
    await assert.rejects(stat(join(folder, ".portvakt", "dev.json")));
  });

  test("ends when the supervisor is killed, and the next start is a clean one", async () => {
    const folder = await newFolder();
    const { dev, state } = await start(folder);
    dev.kill("SIGKILL");
    await Promise.all(Object.values(state.processes).map(gone));
    const next = await start(folder);
    next.dev.kill("SIGTERM");
    assert.deepEqual(await once(next.dev, "exit"), [0, null]);
  });
});

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CommandError } from "../failure.ts";
import { lockFolder } from "./lock.ts";

let folder = "";
before(async () => (folder = await mkdtemp(join(tmpdir(), "portvakt-lock-"))));
after(async () => await rm(folder, { recursive: true, force: true }));

const held = (error: unknown): boolean =>
  error instanceof CommandError && error.message === `another portvakt is at work on the keys in ${folder}`;

/** Another process that has the lock, or says that it has not, and then waits. */
async function another(): Promise<{ child: ChildProcess; has: boolean }> {
  const program = `
    import { lockFolder } from ${JSON.stringify(import.meta.resolve("./lock.ts"))};
    try { globalThis.lock = lockFolder(${JSON.stringify(folder)}); console.log("has"); } catch { console.log("no"); }
    process.stdin.resume();`;
  const args = ["--conditions=source", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, has: said.toString().trim() === "has" };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

describe("a folder is one process's at a time", () => {
  test("whoever comes second is told; once the first has let go, the folder is free", async () => {
    for (let round = 0; round < 2; round++) {
      using _lock = lockFolder(folder);
      assert.throws(() => lockFolder(folder), held);
      const { child, has } = await another();
      await killed(child);
      assert.equal(has, false);
    }
  });

  test("a process that is killed leaves no lock behind", async () => {
    const { child, has } = await another();
    assert.ok(has);
    assert.throws(() => lockFolder(folder), held);
    await killed(child);
    lockFolder(folder)[Symbol.dispose]();
  });

  test("of several processes at once, one has it", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, another));
    await Promise.all(all.map(async ({ child }) => await killed(child)));
    assert.equal(all.filter(({ has }) => has).length, 1);
  });

  test("one that comes at the same moment and goes back is no reason to give up", async () => {
    const program = `
      import { DatabaseSync } from "node:sqlite";
      const file = new DatabaseSync(${JSON.stringify(join(folder, "lock"))});
      file.exec("begin; select count(*) from sqlite_schema");
      console.log("is on its way");
      process.stdin.once("data", () => file.close());`;
    const args = ["--input-type=module", "--eval", program];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.stdin.write("go back");
    try {
      lockFolder(folder)[Symbol.dispose]();
    } finally {
      await killed(child);
    }
  });

  test("a file that is no lock is said to be none", async () => {
    const other = await mkdtemp(join(folder, "other-"));
    await writeFile(
      join(other, "lock"),
      "a lock of something else, which is long enough to be read".repeat(20),
    );
    assert.throws(() => lockFolder(other), /lock cannot be used as a lock/);
  });
});

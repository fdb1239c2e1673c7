import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CommandError } from "../failure.ts";
import { birthOf } from "../running/state.ts";
import { lockFolder } from "./lock.ts";

let folder = "";
before(async () => (folder = await mkdtemp(join(tmpdir(), "portvakt-lock-"))));
after(async () => await rm(folder, { recursive: true, force: true }));

const held = (error: unknown): boolean =>
  error instanceof CommandError && error.message.startsWith("another portvakt is at work on these keys");

/** The number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

describe("a folder is one process's at a time", () => {
  test("the second is told whose it is; after the first has let go, it is free", async () => {
    const lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), (error: CommandError) => {
      assert.ok(held(error) && error.message.includes(`process ${process.pid} on ${hostname()}`));
      return error.hints[0]?.includes(join(folder, "lock")) === true;
    });
    await lock[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(folder), []);
  });

  const stale: { name: string; holder: () => Promise<unknown>; isFree: boolean }[] = [
    {
      name: "a process that is gone",
      holder: async () => ({ host: hostname(), pid: await deadPid(), born: "then" }),
      isFree: true,
    },
    {
      name: "a process whose number another has now",
      holder: async () => ({ host: hostname(), pid: process.pid, born: "long ago" }),
      isFree: true,
    },
    {
      name: "a process that runs",
      holder: async () => ({ host: hostname(), pid: process.pid, born: birthOf(process.pid) }),
      isFree: false,
    },
    {
      name: "a process of another machine",
      holder: async () => ({ host: "elsewhere", pid: 1, born: "then" }),
      isFree: false,
    },
    { name: "a file that says nothing yet", holder: async () => undefined, isFree: false },
  ];
  for (const { name, holder, isFree } of stale) {
    test(`the lock of ${name} ${isFree ? "is none" : "holds"}`, async () => {
      await writeFile(join(folder, "lock"), JSON.stringify(await holder()) ?? "");
      if (isFree) await (await lockFolder(folder))[Symbol.asyncDispose]();
      else await assert.rejects(lockFolder(folder), held);
      await rm(join(folder, "lock"), { force: true });
    });
  }

  test("of twenty who find a lock that is nobody's, one has it", async () => {
    for (let round = 0; round < 20; round++) {
      const nobody = { host: hostname(), pid: process.pid, born: "long ago" };
      await writeFile(join(folder, "lock"), JSON.stringify(nobody));
      const tried = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
      const locks = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      assert.ok(tried.every((one) => one.status === "fulfilled" || held(one.reason)));
      assert.equal(locks.length, 1);
      await locks[0]?.[Symbol.asyncDispose]();
      assert.deepEqual(await readdir(folder), []);
    }
  });
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makePrivateFolder } from "./folder.ts";

const root = await mkdtemp(join(tmpdir(), "portvakt-folder-"));
after(() => rm(root, { recursive: true, force: true }));

const ignored = async (folder: string): Promise<string> =>
  await readFile(join(folder, ".gitignore"), "utf8").catch(() => "nothing");

describe("a folder with keys in it", () => {
  test("is for its owner only, and git sees nothing of it", async () => {
    const folder = join(root, "new", "keys");
    await Promise.all([makePrivateFolder(folder), makePrivateFolder(folder)]);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal(await ignored(folder), "*\n");
    assert.equal(await ignored(join(root, "new")), "nothing", "what is beside it is not ours");
  });

  test("one that somebody else made stays as it is; a .portvakt of before does not", async () => {
    const theirs = join(root, "theirs");
    const ours = join(root, ".portvakt");
    for (const folder of [theirs, ours]) {
      await mkdir(folder);
      await makePrivateFolder(folder);
    }
    assert.equal(await ignored(theirs), "nothing");
    assert.equal(await ignored(ours), "*\n");
  });

  test("a .gitignore that is there already is kept", async () => {
    const folder = join(root, "own", ".portvakt");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, ".gitignore"), "!keep\n");
    await makePrivateFolder(folder);
    assert.equal(await ignored(folder), "!keep\n");
  });

  const nowhere = existsSync("/proc/self") ? false : "this system has no /proc";
  test("where none can be made, that ends at once", { skip: nowhere, timeout: 5000 }, async () => {
    await assert.rejects(makePrivateFolder("/proc/x/y"), { code: "ENOENT" });
  });

  test("a file in its place is an error", async () => {
    await writeFile(join(root, "file"), "");
    await assert.rejects(makePrivateFolder(join(root, "file")), { code: "EEXIST" });
    await assert.rejects(makePrivateFolder(join(root, "file", "below")), { code: "ENOTDIR" });
  });
});

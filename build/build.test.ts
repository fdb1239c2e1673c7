import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { dependencyFolders, installInto, uses } from "./installed.ts";
import type { Project } from "./installed.ts";
import { root } from "./manifest.ts";
import { pack, problemsOf } from "./pack.ts";
import type { Packed } from "./pack.ts";
import { published } from "./published.ts";

// Bun and Deno, which are packages to fetch, are `npm run build`'s; the rest is here, so that nobody finds out at a release.

describe("the SDK as others get it", () => {
  let place: string;
  let packed: Packed;
  let project: Project;
  const entry = published.find((one) => one.folder === "packages/sdk")!;

  before(async () => {
    await mkdir(resolve(root, "dist"), { recursive: true });
    place = await mkdtemp(resolve(root, "dist/test-"));
    packed = await pack(entry, place);
    project = await installInto(packed.tarball, await dependencyFolders(entry.folder));
  });
  after(async () => {
    await project.remove();
    await rm(place, { recursive: true, force: true });
  });

  for (const name of ["types, without Node's", "Node.js", "a bundle with nothing but the web's names"]) {
    test(`installed into an empty project and used: ${name}`, async () => {
      assert.match((await uses[name]?.(project)) ?? "", /^(9 of 9|compiles)/);
    });
  }

  test("its one dependency is jose, and nothing of ours has to be published beside it", async () => {
    const text = await readFile(join(packed.directory, "package.json"), "utf8");
    const manifest = JSON.parse(text) as { dependencies: object; private?: boolean };
    assert.deepEqual(Object.keys(manifest.dependencies), ["jose"]);
    assert.equal(manifest.private, undefined);
    const declared = await readFile(join(packed.directory, "lib/index.d.ts"), "utf8");
    assert.doesNotMatch(declared, /@portvakt\//);
  });

  test("publint and attw have nothing to say, and say it when a file that is promised is missing", async () => {
    assert.deepEqual(await problemsOf(packed), []);
    const path = join(packed.directory, "package.json");
    const text = await readFile(path, "utf8");
    try {
      await writeFile(path, text.replaceAll("./lib/middleware/koa.d.ts", "./lib/middleware/lost.d.ts"));
      assert.match((await problemsOf(packed)).join("\n"), /lost\.d\.ts/);
    } finally {
      await writeFile(path, text);
    }
  });
});

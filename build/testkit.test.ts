import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { root } from "./manifest.ts";
import { pack, problemsOf } from "./pack.ts";
import type { Packed } from "./pack.ts";
import { run } from "./programs.ts";
import { published } from "./published.ts";

/** Exact, like every dependency; they are installed into the sample project only. */
const runners = ["vitest@5.1.1", "jest@30.5.2"];

describe("the test kit as others get it", () => {
  let place: string;
  let project: string;
  let packed: Packed;
  const entry = published.find((one) => one.folder === "packages/testkit")!;
  const program = (name: string) => join(project, "node_modules/.bin", name);

  before(async () => {
    await mkdir(resolve(root, "dist"), { recursive: true });
    place = await mkdtemp(resolve(root, "dist/test-"));
    packed = await pack(entry, place);
    project = await mkdtemp(join(tmpdir(), "portvakt-testkit-"));
    await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
    await cp(resolve(import.meta.dirname, "installed/testkit"), project, { recursive: true });
    const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
    await run("npm", ["install", ...flags, packed.tarball, ...runners], { cwd: project });
  });
  after(async () => {
    await rm(project, { recursive: true, force: true });
    await rm(place, { recursive: true, force: true });
  });

  // A runner that thinks it is called from within a test file runs nothing.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const uses: Record<string, { command: () => Promise<string>; says: RegExp }> = {
    "node:test": {
      command: () => run(process.execPath, ["--test", "node.test.mjs"], { cwd: project, env }),
      says: /pass 2\n/,
    },
    Vitest: {
      command: () =>
        run(program("vitest"), ["run", "vitest.test.mjs", "--reporter=tap"], { cwd: project, env }),
      says: /^ {4}ok 2 - /m,
    },
    Jest: {
      command: () =>
        run(program("jest"), ["--testMatch", "**/jest.test.mjs", "--transform", "{}", "--json"], {
          cwd: project,
          env: { ...env, NODE_OPTIONS: "--experimental-vm-modules" },
        }),
      says: /"numPassedTests":2/,
    },
  };
  for (const [name, { command, says }] of Object.entries(uses))
    test(`installed into a project and used from ${name}`, async () => {
      assert.match(await command(), says);
    });

  test("it brings what it imports, nothing of ours beside it, and none of the servers' databases", async () => {
    const text = await readFile(join(packed.directory, "package.json"), "utf8");
    const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
    assert.deepEqual(Object.keys(dependencies), [
      "@hono/node-server",
      "hono",
      "jose",
      "pino",
      "prom-client",
      "yaml",
      "zod",
    ]);
  });

  test("its types stand alone", async () => {
    const use = `import { startStandins, type Standins } from "@portvakt/testkit";
      const idp: Standins = await startStandins({ registrations: { openid: { clients: [{ client_id: "x" }] } } });
      idp.forTest("x").fail({ effect: "slow", delay_ms: 5 });
      // @ts-expect-error: there is no such effect
      idp.fail({ effect: "nonsense" });\n`;
    await writeFile(join(project, "use.ts"), use);
    const compilerOptions = { strict: true, noEmit: true, module: "nodenext", target: "es2024", types: [] };
    const settings = { compilerOptions: { ...compilerOptions, skipLibCheck: true }, files: ["use.ts"] };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify(settings));
    await run("tsc", ["-p", project]);
  });

  test("publint and attw have nothing to say", async () => {
    assert.deepEqual(await problemsOf(packed), []);
  });
});

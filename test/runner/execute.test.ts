// The runner judges its own fixtures: what counts as passed, failed and skipped, in a process alone and together.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { execute } from "./execute.ts";
import { planJobs } from "./plan.ts";

const head = `import test, { after, before, describe } from "node:test";\n`;
const fixtures: Readonly<Record<string, string>> = {
  "good.test.ts": `test("one", () => {}); describe("suite", () => { test("two", () => {}); });`,
  "bad.test.ts": `test("wrong", () => { throw new Error("boom"); });`,
  "skips.test.ts": `test("later", { skip: "not on this machine" }, () => {}); test("someday", { todo: "soon" }, () => {});`,
  "empty.test.ts": `export const nothing = 1;`,
  "throws.test.ts": `test("one", () => {}); throw new Error("while loading");`,
  "late.test.ts": `test("one", () => { setTimeout(() => void Promise.reject(new Error("late")), 20); });`,
  "during.test.ts": `test("one", async () => { void Promise.reject(new Error("during")); await new Promise((done) => setTimeout(done, 20)); });`,
  "hook.test.ts": `describe("suite", () => { before(() => { throw new Error("hook"); }); test("one", () => {}); });`,
  "open.test.ts": `import { createServer } from "node:http"; test("one", () => { createServer().listen(0); });`,
  "prints.test.ts": `after(() => console.log("after it")); test("one", () => { console.log("printed"); throw new Error("x"); });`,
};

let root: string;
before(async () => {
  // Node refuses to run tests inside of tests, by this mark, which has told our own runner all that it had to by now.
  delete process.env["NODE_TEST_CONTEXT"];
  root = await mkdtemp(join(tmpdir(), "portvakt-runner-"));
  for (const [file, body] of Object.entries(fixtures)) await writeFile(join(root, file), head + body);
});
after(async () => rm(root, { recursive: true }));

async function outcomes(
  ...files: readonly string[]
): Promise<{ counts: string; names: string; output: string }> {
  const job = { title: files.join(" "), files };
  // The limit is for the fixture that leaves a server open; all others end by themselves.
  const signal = new AbortController().signal;
  const { findings, output } = await execute({ root, job, limitSeconds: 2, signal });
  const count = (outcome: string): number => findings.filter((finding) => finding.outcome === outcome).length;
  const counts = `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`;
  return { counts, output, names: findings.map(({ name, detail }) => `${name}: ${detail ?? ""}`).join("\n") };
}

describe("a file alone", () => {
  const cases: readonly [file: string, counts: string, says: RegExp][] = [
    ["good.test.ts", "2 passed, 0 failed, 0 skipped", /suite › two/u],
    ["bad.test.ts", "0 passed, 1 failed, 0 skipped", /wrong: Error: boom/u],
    ["skips.test.ts", "0 passed, 0 failed, 2 skipped", /later: not on this machine\nsomeday: soon/u],
    ["empty.test.ts", "0 passed, 1 failed, 0 skipped", /registers no test/u],
    ["throws.test.ts", "0 passed, 1 failed, 0 skipped", /the file/u],
    ["late.test.ts", "1 passed, 1 failed, 0 skipped", /asynchronous activity after the test ended/u],
    ["during.test.ts", "0 passed, 1 failed, 0 skipped", /during/u],
    ["hook.test.ts", "0 passed, 2 failed, 0 skipped", /hook/u],
    ["open.test.ts", "1 passed, 1 failed, 0 skipped", /timeout/u],
  ];
  for (const [file, counts, says] of cases) {
    test(`${file}: ${counts}`, async () => {
      const result = await outcomes(file);
      assert.equal(result.counts, counts, result.names);
      assert.match(result.names, says);
    });
  }

  test("what it printed is kept", async () =>
    assert.match((await outcomes("prints.test.ts")).output, /printed\n/u));
});

describe("files together in one process", () => {
  test("each counts as it would alone", async () => {
    const result = await outcomes("good.test.ts", "bad.test.ts", "skips.test.ts");
    assert.equal(result.counts, "2 passed, 1 failed, 2 skipped", result.names);
    assert.match(result.names, /^suite › two: $/mu);
  });
  test("one that registers no test fails", async () => {
    const result = await outcomes("good.test.ts", "empty.test.ts");
    assert.equal(result.counts, "2 passed, 1 failed, 0 skipped", result.names);
  });
  test("a rejection after the last test fails", async () => {
    const result = await outcomes("good.test.ts", "late.test.ts");
    assert.equal(result.counts, "3 passed, 1 failed, 0 skipped", result.names);
  });
  test("one file's hooks are not another's", async () => {
    const { output } = await outcomes("prints.test.ts", "good.test.ts");
    assert.equal(output.match(/after it/gu)?.length, 1);
  });
});

test("rooms of pure functions share a process, everything else has its own, whole flows come first", () => {
  const jobs = planJobs([
    "apps/login/src/b.test.ts",
    "apps/login/test/flow.test.ts",
    "packages/oauth/src/a.test.ts",
    "packages/oauth/src/b.test.ts",
  ]);
  assert.deepEqual(
    jobs.map(({ files }) => files.length),
    [1, 2, 1],
  );
  assert.deepEqual(jobs[0]?.files, ["apps/login/test/flow.test.ts"]);
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { gathering } from "./standard-output.ts";

function gathered() {
  const calls: string[] = [];
  return { calls, log: gathering({ write: (text) => void calls.push(text) }) };
}

describe("log lines are gathered", () => {
  it("into one call for all of one step, which comes before whoever awaits anything goes on", async () => {
    const { calls, log } = gathered();
    const answered = Array.from({ length: 3 }, async (_, i) => {
      log.write(`line ${i}\n`);
      await Promise.resolve();
      return [...calls];
    });
    assert.deepEqual(calls, []);
    for (const seen of await Promise.all(answered)) assert.deepEqual(seen, ["line 0\nline 1\nline 2\n"]);
    log.write("next\n");
    await Promise.resolve();
    assert.deepEqual(calls.slice(1), ["next\n"]);
  });

  it("but not without end: what is long is written at once", () => {
    const { calls, log } = gathered();
    for (let i = 0; i < 100; i++) log.write(`${"x".repeat(999)}\n`);
    assert.ok(calls.length >= 5, `${calls.length} calls for 100 kB`);
  });
});

const ends = {
  "process.exit": "process.exit(3)",
  "an error that nobody caught": "throw new Error('nobody')",
  "the end of the program": "",
};
for (const [name, end] of Object.entries(ends))
  it(`what was logged last is written at ${name}`, () => {
    const logger = new URL("logger.ts", import.meta.url).href;
    const program = `import { createLogger } from ${JSON.stringify(logger)};
      createLogger({ name: "one" }).info("from one");
      createLogger({ name: "other" }).info("from another");
      ${end}`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    const lines = run.stdout.trim().split("\n");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ["from one", "from another"],
    );
  });

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fidelityMarkdown } from "../src/index.ts";
import { fidelity } from "../src/fidelity.ts";

describe("the fidelity table", () => {
  for (const [provider, rows] of Object.entries(fidelity)) {
    test(`${provider}: every row names a test that exists`, async () => {
      for (const [behaviour, source, file, name] of rows) {
        const tests = await readFile(new URL(`${file}.test.ts`, import.meta.url), "utf8");
        assert.ok(tests.includes(name), `${behaviour}: ${file}.test.ts has no test "${name}"`);
        assert.notEqual(source, "");
      }
    });
  }
  test("is printed with every row", () => {
    const text = fidelityMarkdown();
    for (const rows of Object.values(fidelity))
      for (const [behaviour] of rows) assert.ok(text.includes(behaviour));
  });
});

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fidelityMarkdown } from "../src/index.ts";
import { fidelity } from "../src/fidelity/fidelity.ts";

describe("the fidelity table", () => {
  for (const [provider, rows] of fidelity) {
    test(`${provider}: every row names a test that exists, or says what is there instead`, async () => {
      for (const { behaviour, source, shown, instead } of rows) {
        assert.notEqual(source, "");
        if (shown === undefined) assert.notEqual(instead, "", behaviour);
        else {
          const tests = await readFile(new URL(`${shown.file}.test.ts`, import.meta.url), "utf8");
          assert.ok(
            tests.includes(shown.test),
            `${behaviour}: ${shown.file}.test.ts has no test "${shown.test}"`,
          );
        }
      }
    });
  }
  test("is printed with every row, and counted: how many of how many", () => {
    const text = fidelityMarkdown();
    const all = [...fidelity.values()].flat();
    for (const { behaviour } of all) assert.ok(text.includes(behaviour));
    const shown = all.filter((row) => row.shown !== undefined).length;
    assert.ok(text.includes(`${shown} of ${all.length}`));
    assert.ok(shown < all.length, "what is not there is said");
  });
});

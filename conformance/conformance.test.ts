import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prove } from "./prove.ts";
import { specifications } from "./specifications.ts";
import type { Requirement } from "./table.ts";

for (const { name, requirements } of specifications) {
  describe(name, () => {
    for (const requirement of requirements) {
      test(`section ${requirement.section}: ${requirement.says}`, async () => prove(requirement));
    }
  });
}

test("no requirement stands in a table twice", () => {
  for (const { name, requirements } of specifications) {
    const said = requirements.map(({ section, says }) => `${name} ${section}: ${says}`);
    assert.deepEqual(said, [...new Set(said)]);
  }
});

test("a requirement that names a test which is not there fails", async () => {
  const row: Requirement = {
    section: "1",
    level: "must",
    says: "x",
    test: ["conformance/prove.ts", "no such"],
  };
  await assert.rejects(prove(row), /has no test/u);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { namedIn } from "./named-tests.ts";
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

test("tests that are named after a requirement are found, others are not", () => {
  const text = `
    test("RFC 9207 section 2.4: an answer of another issuer", () => {});
    const rows = [{ name: "OpenID Connect Core 3.1.3.7 (11): another nonce" }, ["RFC 7523 section 3 rule 2: iss is not sub"]];
    test("a person signs in", () => {});
  `;
  const found = namedIn("a.test.ts", text).map(({ specification, requirement }) => [
    specification,
    requirement.section,
    requirement.says,
  ]);
  assert.deepEqual(found, [
    ["RFC 9207", "2.4", "an answer of another issuer"],
    ["OpenID Connect Core", "3.1.3.7 (11)", "another nonce"],
    ["RFC 7523", "3 rule 2", "iss is not sub"],
  ]);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createProofMemory } from "./used-proofs.ts";

/** How many proofs of one key are taken before one is not. */
const flood = (claim: ReturnType<typeof createProofMemory>, jkt: string): number => {
  let taken = 0;
  while (claim(jkt, `${jkt}-${taken}`) === "new") taken += 1;
  return taken;
};

describe("the memory of used proofs (RFC 9449 section 11.1)", () => {
  test("takes a proof once, until its time is over", () => {
    let time = 0;
    const claim = createProofMemory(() => time, 120, 10);
    assert.deepEqual([claim("k", "1"), claim("k", "1"), claim("k", "2")], ["new", "used", "new"]);
    time = 119;
    assert.equal(claim("k", "1"), "used");
    time = 120;
    assert.equal(claim("k", "1"), "new");
  });

  test("keys do not share ids: the same jti by another key is another proof", () => {
    const claim = createProofMemory(() => 0, 120, 10);
    assert.deepEqual([claim("a", "1"), claim("b", "1")], ["new", "new"]);
  });

  test("one key's flood leaves room for all others, and ends when its time is over", () => {
    let time = 0;
    const claim = createProofMemory(() => time, 120, 1000);
    assert.equal(flood(claim, "first"), 500);
    assert.equal(claim("first", "again"), "full");
    assert.equal(flood(claim, "second"), 250);
    for (const key of ["a", "b", "c"]) assert.equal(claim(key, "1"), "new");
    time = 120;
    assert.equal(flood(claim, "first"), 500);
  });

  test("nothing is left of a key whose proofs are over", () => {
    let time = 0;
    const claim = createProofMemory(() => time, 120, 1);
    assert.equal(claim("k", "1"), "new");
    time = 120;
    assert.equal(claim("k", "2"), "new");
  });

  test("is bounded, whoever comes", () => {
    const claim = createProofMemory(() => 0, 120, 100);
    const taken = Array.from({ length: 200 }, (_, key) => claim(`key-${key}`, "1"));
    assert.equal(taken.filter((one) => one === "new").length, 100);
    assert.equal(taken.at(-1), "full");
  });
});

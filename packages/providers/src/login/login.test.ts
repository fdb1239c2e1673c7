import { test } from "node:test";
import assert from "node:assert/strict";
import { findLoginHabits, levelOf, levelSuffices, loginHabits } from "./index.ts";

const idporten = loginHabits.idporten;
const levels = [
  { name: "the same level", have: "idporten-loa-high", need: "idporten-loa-high", enough: true },
  { name: "a higher level", have: "idporten-loa-high", need: "idporten-loa-substantial", enough: true },
  { name: "a lower level", have: "idporten-loa-substantial", need: "idporten-loa-high", enough: false },
  { name: "an old name for the same level", have: "Level4", need: "idporten-loa-high", enough: true },
  { name: "an old name for a lower level", have: "Level3", need: "Level4", enough: false },
  { name: "no level at all", have: undefined, need: "idporten-loa-low", enough: false },
  { name: "a level that nobody knows", have: "gold", need: "idporten-loa-low", enough: false },
  { name: "an unknown level asked for", have: "idporten-loa-high", need: "gold", enough: false },
];
for (const { name, have, need, enough } of levels) {
  test(`ID-porten levels: ${name}`, () => assert.equal(levelSuffices(idporten, have, need), enough));
}

test("a provider without an order of levels compares them by equality", () => {
  assert.equal(levelSuffices(loginHabits.openid, "gold", "gold"), true);
  assert.equal(levelSuffices(loginHabits.openid, "gold", "silver"), false);
});

test("level names that are properties of every object stay what they are", () => {
  assert.equal(levelOf(idporten, "constructor"), "constructor");
});

test("providers are found by the baseline's names", () => {
  assert.equal(findLoginHabits("azure"), loginHabits.entra);
  assert.equal(findLoginHabits("idporten"), loginHabits.idporten);
  assert.equal(findLoginHabits("nobody"), undefined);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSyntheticPid } from "./national-identity.ts";
import { builtinPersonas, groupsOf, parsePersonas, stableUuid } from "./personas.ts";

describe("a national identity number", () => {
  const cases: [name: string, pid: string, synthetic: boolean][] = [
    ["of the +80 series", "17858430038", true],
    ["a D-number of the series", "61827935041", true],
    ["with a wrong first check digit", "17858430048", false],
    ["with a wrong second check digit", "17858430039", false],
    ["of a real month, check digits right", "01010750160", false],
    ["of the +40 series", "21483609245", false],
    ["on a day that does not exist", "32858430038", false],
    ["too short", "1785843003", false],
    ["with letters", "1785843003a", false],
  ];
  for (const [name, pid, synthetic] of cases) test(name, () => assert.equal(isSyntheticPid(pid), synthetic));
});

describe("personas", () => {
  test("the built-in ones are those that the documentation names, and all synthetic", () => {
    const { citizens, employees } = builtinPersonas();
    assert.deepEqual(
      citizens.map(({ id }) => id),
      ["kari", "ola", "dagny", "elsa", "avbryt"],
    );
    assert.deepEqual(
      employees.map(({ id }) => id),
      ["anna", "gustav", "greta", "per", "olav"],
    );
    for (const { pid } of citizens) assert.ok(pid === undefined || isSyntheticPid(pid));
    const greta = employees.find(({ id }) => id === "greta");
    assert.ok(greta);
    assert.equal(new Set(groupsOf(greta)).size, 250);
  });

  test("a real person's number is refused", () => {
    assert.throws(
      () => parsePersonas('citizens: [{ id: x, name: X, pid: "01010750160", level: idporten-loa-high }]'),
      /synthetic/,
    );
  });
  test("an id used twice is refused", () => {
    assert.throws(
      () =>
        parsePersonas(
          "citizens: [{ id: x, name: X, level: idporten-loa-high }, { id: x, name: Y, level: idporten-loa-high }]",
        ),
      /names x twice/,
    );
  });
  test("a misspelt member is refused", () => {
    assert.throws(
      () => parsePersonas("employees: [{ id: x, name: X, username: xyz, navIdent: Z1 }]"),
      /navIdent/,
    );
  });
  test("stable UUIDs are UUIDs, and the same each time", () => {
    assert.match(stableUuid("a"), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(stableUuid("a"), stableUuid("a"));
    assert.notEqual(stableUuid("a"), stableUuid("b"));
  });
});

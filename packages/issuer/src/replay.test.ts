import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryReplay, Throttled } from "./index.ts";

test("full, it is searched for what has expired once a second, not for each request", () => {
  let now = 100;
  const claim = memoryReplay({ now: () => now, maxEntries: 1 });
  assert.equal(claim("a", 100.2, "client"), true);
  now = 100.5;
  assert.throws(() => claim("b", 120, "client"), /temporarily_unavailable/);
  now = 101;
  assert.equal(claim("b", 120, "client"), true);
});

test("once until it expires, and it refuses rather than forgets", () => {
  let now = 100;
  const claim = memoryReplay({ now: () => now, maxEntries: 2 });
  assert.equal(claim("a", 110, "one"), true);
  assert.equal(claim("a", 110, "one"), false);
  assert.equal(claim("b", 120, "two"), true);
  assert.throws(() => claim("c", 120, "three"), { error: "temporarily_unavailable", status: 503 });
  now = 111;
  assert.equal(claim("c", 120, "three"), true);
  assert.throws(() => claim("a", 130, "one"), { status: 503 });
  assert.equal(claim("b", 120, "two"), false);
});

test("what was used before is known, and in nobody's share", () => {
  const claim = memoryReplay({ now: () => 100, maxEntries: 4, known: [["before", 110]] });
  assert.equal(claim("before", 110, "client"), false);
  assert.equal(claim("a", 110, "client"), true);
  assert.equal(claim("b", 110, "client"), true);
  assert.throws(() => claim("c", 110, "client"), Throttled);
});

for (const floods of [1, 2, 3, 9])
  test(`${floods} that flood it leave room for all others`, () => {
    let now = 100;
    const maxEntries = 1_000;
    const claim = memoryReplay({ now: () => now, maxEntries });
    const claimed = (key: string, by: string): boolean => {
      try {
        return claim(key, 200, by);
      } catch (error) {
        assert.ok(error instanceof Throttled);
        return false;
      }
    };
    const held = new Map<string, number>();
    for (let round = 0; round < maxEntries; round++)
      for (let flood = 0; flood < floods; flood++) {
        const by = `flood ${flood}`;
        if (claimed(`${by} ${round}`, by)) held.set(by, (held.get(by) ?? 0) + 1);
      }
    const fair = maxEntries / (floods + 1);
    for (const count of held.values()) assert.ok(Math.abs(count - fair) <= 2, `${count} of ${maxEntries}`);
    assert.equal(claim("mine", 200, "another"), true);
    now = 201;
    assert.equal(claim("again", 300, "flood 0"), true, "once what it holds has expired");
  });

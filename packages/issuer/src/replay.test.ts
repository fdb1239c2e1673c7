import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryReplay, Throttled } from "./index.ts";

test("full, it is searched for what has expired once a second, not for each request", async () => {
  let now = 100;
  const claim = memoryReplay({ now: () => now, maxEntries: 1 });
  assert.equal(await claim("a", 100.2, "client"), true);
  now = 100.5;
  await assert.rejects(claim("b", 120, "client"), /temporarily_unavailable/);
  now = 101;
  assert.equal(await claim("b", 120, "client"), true);
});

test("once until it expires, and it refuses rather than forgets", async () => {
  let now = 100;
  const claim = memoryReplay({ now: () => now, maxEntries: 2 });
  assert.equal(await claim("a", 110, "one"), true);
  assert.equal(await claim("a", 110, "one"), false);
  assert.equal(await claim("b", 120, "two"), true);
  await assert.rejects(claim("c", 120, "three"), { error: "temporarily_unavailable", status: 503 });
  now = 111;
  assert.equal(await claim("c", 120, "three"), true);
  assert.equal(await claim("a", 130, "one").catch(() => "full"), "full");
  assert.equal(await claim("b", 120, "two"), false);
});

test("what was used before is known, and in nobody's share", async () => {
  const claim = memoryReplay({ now: () => 100, maxEntries: 4, known: [["before", 110]] });
  assert.equal(await claim("before", 110, "client"), false);
  assert.equal(await claim("a", 110, "client"), true);
  assert.equal(await claim("b", 110, "client"), true);
  await assert.rejects(claim("c", 110, "client"), Throttled);
});

for (const floods of [1, 2, 3, 9])
  test(`${floods} that flood it leave room for all others`, async () => {
    let now = 100;
    const maxEntries = 1_000;
    const claim = memoryReplay({ now: () => now, maxEntries });
    const held = new Map<string, number>();
    for (let round = 0; round < maxEntries; round++)
      for (let flood = 0; flood < floods; flood++) {
        const by = `flood ${flood}`;
        const got = await claim(`${by} ${round}`, 200, by).catch((error: unknown) => {
          assert.ok(error instanceof Throttled);
          return false;
        });
        if (got) held.set(by, (held.get(by) ?? 0) + 1);
      }
    const fair = maxEntries / (floods + 1);
    for (const count of held.values()) assert.ok(Math.abs(count - fair) <= 2, `${count} of ${maxEntries}`);
    assert.equal(await claim("mine", 200, "another"), true);
    now = 201;
    assert.equal(await claim("again", 300, "flood 0"), true, "once what it holds has expired");
  });

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Discovered } from "../connections/connection.ts";
import { createTokenMemory } from "./memory.ts";
import type { Remembered, TokenMemory } from "./memory.ts";

const clock = { seconds: 1000 };
const now = (): number => clock.seconds;
const under = (rulesId: string, fetchedAt = 900): Discovered =>
  ({ rulesId, keys: { fetchedAt } }) as unknown as Discovered;
const answer = (body: string, until = 2000) =>
  ({ active: true, body, cnf: undefined, from: 990, until, keysFetchedAt: 900 }) as const;
/** A token counts from its second time on. */
function addTwice(memory: TokenMemory, token: string, rules: Discovered, remembered: Remembered): void {
  memory.add(token, rules, remembered);
  memory.add(token, rules, remembered);
}

test("a token that comes once is not kept", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  memory.add("token", under("rules"), answer("{}"));
  assert.equal(memory.size, 0);
  assert.equal(memory.find("token", under("rules")), undefined);
  memory.add("token", under("rules"), answer("{}"));
  assert.equal(memory.find("token", under("rules"))?.body, "{}");
});

test("tokens that come once put none out that comes again", () => {
  const memory = createTokenMemory({ now, maxEntries: 50 });
  addTwice(memory, "again", under("rules"), answer("{}"));
  for (let index = 0; index < 60; index++)
    memory.add(`once ${String(index).padStart(12, "0")}`, under("rules"), answer("{}"));
  assert.equal(memory.find("again", under("rules"))?.body, "{}");
});

test("a token that only ends like one that is remembered is another", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  addTwice(memory, "header.claims.signature-of-it", under("rules"), answer("{}"));
  assert.equal(memory.find("header.other-claims.signature-of-it", under("rules")), undefined);
});

test("a verified token is remembered under the rules that it was judged by, and under no others", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  addTwice(memory, "token", under("rules"), answer("{}"));
  assert.equal(memory.find("token", under("rules"))?.body, "{}");
  assert.equal(memory.find("token", under("other rules")), undefined);
  assert.equal(memory.find("tokem", under("rules")), undefined);
});

test("it ends when the token expires, and when the keys were fetched anew", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  addTwice(memory, "late", under("rules"), answer("{}", now()));
  assert.equal(memory.size, 0);
  addTwice(memory, "one", under("rules"), answer("{}", now() + 1));
  addTwice(memory, "two", under("rules"), answer("{}"));
  assert.equal(memory.find("two", under("rules", 901)), undefined);
  assert.equal(memory.find("two", under("rules")), undefined, "and does not come back");
  clock.seconds += 1;
  assert.equal(memory.find("one", under("rules")), undefined);
  assert.equal(memory.size, 0);
});

test("RFC 7519 section 4.1.5: a clock that is set back to before the token's time ends it", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  addTwice(memory, "early", under("rules"), answer("{}"));
  assert.ok(memory.find("early", under("rules")));
  clock.seconds -= 100;
  assert.equal(memory.find("early", under("rules")), undefined);
  clock.seconds += 100;
});

test("it is bounded: the one not used for longest goes", () => {
  const memory = createTokenMemory({ now, maxEntries: 2 });
  for (const token of ["a", "b"]) addTwice(memory, token, under("rules"), answer(token));
  memory.find("a", under("rules"));
  addTwice(memory, "c", under("rules"), answer("c"));
  const held = ["a", "b", "c"].filter((token) => memory.find(token, under("rules")) !== undefined);
  assert.deepEqual(held, ["a", "c"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Discovered } from "../connections/connection.ts";
import { createTokenMemory } from "./memory.ts";

const clock = { seconds: 1000 };
const now = (): number => clock.seconds;
const under = (rulesId: string, fetchedAt = 900): Discovered =>
  ({ rulesId, keys: { fetchedAt } }) as unknown as Discovered;
const answer = (body: string, exp = 2000) => ({ active: true, body, exp, keysFetchedAt: 900 }) as const;

test("a verified token is remembered under the rules that it was judged by, and under no others", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  memory.add("token", under("rules"), answer("{}"));
  assert.equal(memory.find("token", under("rules"))?.body, "{}");
  assert.equal(memory.find("token", under("other rules")), undefined);
  assert.equal(memory.find("tokem", under("rules")), undefined);
});

test("it ends when the token expires, and when the keys were fetched anew", () => {
  const memory = createTokenMemory({ now, maxEntries: 10 });
  memory.add("late", under("rules"), answer("{}", now()));
  assert.equal(memory.size, 0);
  memory.add("one", under("rules"), answer("{}", now() + 1));
  memory.add("two", under("rules"), answer("{}"));
  assert.equal(memory.find("two", under("rules", 901)), undefined);
  assert.equal(memory.find("two", under("rules")), undefined, "and does not come back");
  clock.seconds += 1;
  assert.equal(memory.find("one", under("rules")), undefined);
  assert.equal(memory.size, 0);
});

test("it is bounded: the one not used for longest goes", () => {
  const memory = createTokenMemory({ now, maxEntries: 2 });
  for (const token of ["a", "b"]) memory.add(token, under("rules"), answer(token));
  memory.find("a", under("rules"));
  memory.add("c", under("rules"), answer("c"));
  const held = ["a", "b", "c"].filter((token) => memory.find(token, under("rules")) !== undefined);
  assert.deepEqual(held, ["a", "c"]);
});

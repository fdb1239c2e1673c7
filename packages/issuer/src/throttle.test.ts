import assert from "node:assert/strict";
import { test } from "node:test";
import { pausing, Throttled, throttle } from "./index.ts";

test("a bucket gives its burst at once and then its rate, and keys do not share", () => {
  const { take: admit } = throttle({ perSecond: 2, burst: 3 });
  for (let i = 0; i < 3; i++) admit("a", 100);
  assert.throws(() => admit("a", 100), Throttled);
  admit("b", 100);
  admit("a", 100.5);
  assert.throws(
    () => admit("a", 100.5),
    (error: Throttled) => error.retryAfterSeconds === 1,
  );
});

test("a key that is only claimed takes nothing: nobody can empty another's bucket", () => {
  const { check, take } = throttle({ perSecond: 1, burst: 1 });
  for (let i = 0; i < 10; i++) check("victim", 100);
  take("victim", 100);
  assert.throws(() => check("victim", 100), Throttled);
});

test("buckets are bounded: no flood of keys makes the memory grow, and an empty one is not forgotten for a full one", () => {
  const { take: admit } = throttle({ perSecond: 1, burst: 2, maxKeys: 3 });
  admit("busy", 100);
  admit("busy", 100);
  for (let i = 0; i < 10; i++) admit(`other${i}`, 100);
  assert.throws(() => admit("busy", 100.1), Throttled);
});

test("an answer with 429 takes a moment, and no other waits for it", async () => {
  const unhurried = pausing();
  const answering = (status: number) => unhurried(async () => new Response(null, { status }));
  const request = new Request("http://localhost/token");
  const began = performance.now();
  const held = answering(429)(request).then(({ status }) => ({ status, took: performance.now() - began }));
  const first = await Promise.race([held, answering(200)(request), answering(401)(request)]);
  assert.equal(first.status, 200);
  const { status, took } = await held;
  assert.equal(status, 429);
  assert.ok(took > 200, `${took} ms`);
});

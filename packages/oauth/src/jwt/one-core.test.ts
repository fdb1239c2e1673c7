import assert from "node:assert/strict";
import os from "node:os";
import { test } from "node:test";
import { turnOnOneCore } from "./one-core.ts";

const withCores = (count: number, { mock }: { mock: typeof test.mock }): ReturnType<typeof turnOnOneCore> => {
  mock.method(os, "availableParallelism", () => count);
  return turnOnOneCore();
};

test("with several cores there is nothing to wait for", (t) => {
  assert.equal(withCores(2, t), undefined);
});

test("who waits for a turn goes on with all others who do, before what is due after it", async (t) => {
  const turn = withCores(1, t) ?? assert.fail("one core");
  const order: string[] = [];
  const first = turn().then(() => order.push("first"));
  const later = new Promise<void>((resolve) => setImmediate(() => resolve(void order.push("later"))));
  const second = turn().then(() => order.push("second"));
  assert.deepEqual(order, [], "what is being done comes first");
  await Promise.all([first, second, later]);
  assert.deepEqual(order, ["first", "second", "later"]);
});

test("who comes when a turn has begun waits for the next", async (t) => {
  const turn = withCores(1, t) ?? assert.fail("one core");
  const order: string[] = [];
  const done = turn()
    .then(turn)
    .then(() => order.push("next"));
  const between = new Promise<void>((resolve) => setImmediate(() => resolve(void order.push("between"))));
  await Promise.all([done, between]);
  assert.deepEqual(order, ["between", "next"]);
});

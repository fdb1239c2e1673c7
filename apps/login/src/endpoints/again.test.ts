import { test } from "node:test";
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { createLogger } from "@portvakt/runtime/observe";
import { waitingForStore } from "./again.ts";

const log = createLogger({ name: "login", destination: { write: () => undefined } });

/** A queue whose pauses last until the test ends them; each gives how long it was to be. */
function queue(max: number) {
  let pauses: { readonly milliseconds: number; readonly end: () => void }[] = [];
  const wait = (milliseconds: number): Promise<void> =>
    new Promise((end) => void pauses.push({ milliseconds, end }));
  return {
    waiting: waitingForStore({ log, what: "logout", max, wait }),
    async next(): Promise<number> {
      const [pause] = pauses;
      pauses = [];
      pause?.end();
      await turn();
      return pause?.milliseconds ?? 0;
    },
  };
}

test("what waits has one place for each name, and there are not more places than that", async () => {
  const { waiting, next } = queue(2);
  const done: string[] = [];
  const work = (name: string) => async () => void done.push(name);
  assert.deepEqual(
    ["a", "a", "b", "c", "a"].map((name) => waiting.add(name, work(name))),
    [true, true, true, false, true],
  );
  await next();
  assert.deepEqual(done, ["a", "b"]);
  assert.equal(waiting.add("c", work("c")), true, "there is room again");
  await next();
  assert.deepEqual(done, ["a", "b", "c"]);
});

test("what cannot be done keeps nothing else from being done, and is given up after ten minutes", async () => {
  const { waiting, next } = queue(2);
  let [tried, done] = [0, 0];
  waiting.add("never", () => (tried++, Promise.reject(new Error("no"))));
  waiting.add("soon", async () => void done++);
  await next();
  assert.deepEqual([tried, done], [1, 0], "the store seems to be away: one piece is enough to find out");
  await next();
  assert.equal(done, 1);
  let passed = 300;
  for (let pause = 1; pause > 0; passed += pause) pause = await next();
  assert.ok(tried > 100 && passed >= 600_000 && passed < 606_000, `${tried} times in ${passed} ms`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAtATime } from "./one-at-a-time.ts";

test("a read of the whole that fails is made up for by the next one", async () => {
  const asked: number[] = [];
  let isAway = false;
  const refresh = oneAtATime(async (after) => {
    asked.push(after);
    if (isAway) throw new Error("away");
    return 5;
  });
  await refresh();
  isAway = true;
  await assert.rejects(refresh({ anew: true }), /away/);
  isAway = false;
  await refresh();
  await refresh();
  assert.deepEqual(asked, [0, 0, 0, 5]);
});

test("whoever asks while a read is under way waits for one that began later, together", async () => {
  const reads: PromiseWithResolvers<number>[] = [];
  const refresh = oneAtATime(() => {
    const read = Promise.withResolvers<number>();
    reads.push(read);
    return read.promise;
  });
  const first = refresh();
  const waiting = [refresh(), refresh({ anew: true }), refresh()];
  assert.equal(reads.length, 1);
  reads[0]?.resolve(1);
  await first;
  while (reads.length < 2) await Promise.resolve();
  reads[1]?.resolve(2);
  await Promise.all(waiting);
  assert.equal(reads.length, 2);
});

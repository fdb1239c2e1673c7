import assert from "node:assert/strict";
import { test } from "node:test";
import { inBatches } from "./in-batches.ts";

test("what comes in one turn, and what comes while it is worked on, is a batch each; each is told its own result", async () => {
  const batches: (readonly number[])[] = [];
  let under = 0;
  const started = Promise.withResolvers<void>();
  const slow = Promise.withResolvers<void>();
  const double = inBatches(async (batch: readonly number[]) => {
    assert.equal(++under, 1, "one at a time");
    batches.push(batch);
    started.resolve();
    await slow.promise;
    under -= 1;
    return (one) => 2 * one;
  });
  const first = [1, 2, 3].map(double);
  assert.deepEqual(batches, [], "the turn has not ended");
  await started.promise;
  const second = [4, 5].map(double);
  slow.resolve();
  assert.deepEqual(await Promise.all([...first, ...second]), [2, 4, 6, 8, 10]);
  assert.deepEqual(batches, [
    [1, 2, 3],
    [4, 5],
  ]);
});

test("when the work fails, all of its batch are told, and nobody else", async () => {
  const work = inBatches(async (batch: readonly string[]) => {
    if (batch.includes("bad")) throw new Error("no");
    return (one) => one;
  });
  const together = await Promise.allSettled(["good", "bad"].map(work));
  assert.deepEqual(
    together.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(await work("later"), "later");
});

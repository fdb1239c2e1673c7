import assert from "node:assert/strict";
import { test } from "node:test";
import { turns } from "./index.ts";

/** Work that ends when it is told to. */
function pieces() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const piece = (name: string) => () =>
    new Promise<string>((resolve) => {
      started.push(name);
      ends.set(name, () => resolve(name));
    });
  return { started, ends, piece };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("of what waits, one of each key in turn; never more at once than there is room for", async () => {
  const { started, ends, piece } = pieces();
  const takeTurns = turns(2);
  const all = ["flood 1", "flood 2", "flood 3", "flood 4", "calm 1", "other 1", "calm 2"].map((name) =>
    takeTurns(name.split(" ")[0] ?? "", piece(name)),
  );
  const expected = ["flood 1", "flood 2", "flood 3", "calm 1", "other 1", "flood 4", "calm 2"];
  for (const [index, name] of expected.entries()) {
    await settled();
    assert.deepEqual(started, expected.slice(0, Math.min(index + 2, expected.length)));
    ends.get(name)?.();
  }
  assert.equal((await Promise.all(all)).length, expected.length);
});

test("work that fails gives its place back", async () => {
  const takeTurns = turns(1);
  for (let i = 0; i < 3; i++)
    await assert.rejects(
      takeTurns("a", async () => {
        throw new Error("no");
      }),
      /no/,
    );
  assert.equal(await takeTurns("b", async () => "done"), "done");
});

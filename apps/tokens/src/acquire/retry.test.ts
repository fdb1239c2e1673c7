import assert from "node:assert/strict";
import { test } from "node:test";
import { withRetries, type Verdict } from "./retry.ts";

async function run(
  verdicts: readonly (Verdict | "ok")[],
  o: { retries?: number; random?: number; deadlineSeconds?: number } = {},
) {
  const pauses: number[] = [];
  let attempts = 0;
  let clock = 0;
  const outcome = await withRetries(
    {
      now: () => clock,
      random: () => o.random ?? 0.5,
      retries: o.retries ?? 3,
      deadlineSeconds: o.deadlineSeconds ?? 10,
      wait: async (seconds) => {
        pauses.push(seconds);
        clock += seconds;
      },
    },
    async () => {
      attempts += 1;
      if (verdicts[attempts - 1] === "ok") return "done";
      throw new Error(`attempt ${attempts}`);
    },
    () => verdicts[attempts - 1] as Verdict,
  ).catch((error: unknown) => (error as Error).message);
  return { outcome, attempts, pauses };
}

const again = { again: true } as const;

test("when it is tried again, and how long after", async (t) => {
  const rows = [
    {
      name: "success at once",
      verdicts: ["ok"] as const,
      expected: { outcome: "done", attempts: 1, pauses: [] },
    },
    {
      name: "pauses double",
      verdicts: [again, again, "ok"] as const,
      expected: { outcome: "done", attempts: 3, pauses: [0.1, 0.2] },
    },
    {
      name: "never after a final refusal",
      verdicts: [{ again: false }, "ok"] as const,
      expected: { outcome: "attempt 1", attempts: 1, pauses: [] },
    },
    {
      name: "no more than the retries",
      verdicts: [again, again, again, again, "ok"] as const,
      expected: { outcome: "attempt 4", attempts: 4, pauses: [0.1, 0.2, 0.4] },
    },
    {
      name: "as late as the other side asks",
      verdicts: [{ again: true, afterSeconds: 3 }, "ok"] as const,
      expected: { outcome: "done", attempts: 2, pauses: [3] },
    },
    {
      name: "not at all when that is too late",
      verdicts: [{ again: true, afterSeconds: 30 }, "ok"] as const,
      expected: { outcome: "attempt 1", attempts: 1, pauses: [] },
    },
  ];
  for (const { name, verdicts, expected } of rows) {
    await t.test(name, async () => assert.deepEqual(await run(verdicts), expected));
  }
  await t.test("jitter spreads pauses from half to one and a half", async () => {
    assert.deepEqual((await run([again, "ok"], { random: 0 })).pauses, [0.05]);
    assert.deepEqual((await run([again, "ok"], { random: 0.999 })).pauses, [0.1499]);
  });
});

// Short versions of the scenarios of `npm run chaos tokens`; no store is needed.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chaosTokens } from "./tokens.ts";
import { runAll } from "./rig/index.ts";

/** Seconds that something stays away. */
const pace = 0.3;
/** Those that need no long time; the command runs all. */
const chosen = ["hangs", "500", "is gone", "keys endpoint", "2 h behind", "down at start"];

const scenarios = chaosTokens(pace).filter(({ name }) => chosen.some((words) => name.includes(words)));

test("the chosen scenarios are there", () => assert.equal(scenarios.length, chosen.length));

describe("chaos tokens", { concurrency: 2 }, () => {
  for (const scenario of scenarios)
    test(scenario.name, async () => {
      const [outcome] = await runAll([scenario]);
      assert.deepEqual(outcome?.problems, []);
    });
});

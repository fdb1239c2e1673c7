// Short versions of the scenarios of `npm run chaos tokenx`; the PostgreSQL of PORTVAKT_TEST_POSTGRES_URL belongs to other tests, so each scenario has one of its own that it may kill.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chaosTokenx } from "./tokenx.ts";
import { runAll } from "./rig/index.ts";

/** Seconds that something stays away. */
const pace = 0.3;
/** Those that need no long time; the command runs all. */
const chosen = ["the database is killed", "two replicas at once"];

const scenarios = chaosTokenx(pace).filter(({ name }) => chosen.some((words) => name.includes(words)));

test("the chosen scenarios are there", () => assert.equal(scenarios.length, chosen.length));

describe("chaos tokenx", { concurrency: 2 }, () => {
  for (const scenario of scenarios)
    test(scenario.name, async () => {
      const [outcome] = await runAll([scenario]);
      assert.deepEqual(outcome?.problems, []);
    });
});

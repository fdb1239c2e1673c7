// Short versions of the scenarios of `npm run chaos login`; the Redis of PORTVAKT_TEST_REDIS_URL belongs to other tests, so each scenario has one of its own that it may kill.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chaosLogin } from "./login.ts";
import { runAll } from "./rig/index.ts";

/** Seconds that something stays away. */
const pace = 0.3;

describe("chaos login", { concurrency: 2 }, () => {
  for (const scenario of chaosLogin(pace))
    test(scenario.name, async () => {
      const [outcome] = await runAll([scenario]);
      assert.deepEqual(outcome?.problems, []);
    });
});

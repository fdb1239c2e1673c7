import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@portvakt/runtime/observe";

const forMilliseconds = 600_000;
const longestPause = 5000;
/** Enough for any real outage; a flood of forged requests does not come this far, and must not fill the memory if it did. */
const maxWaiting = 1000;
let waiting = 0;

/**
 * Does in the background what the store could not do now: a provider says once that a session has ended. Tries for ten minutes at
 * growing intervals, does not keep the process from ending, and tells in the log what came of it.
 */
export async function tryAgain(work: () => Promise<unknown>, log: Logger, what: string): Promise<void> {
  if (waiting >= maxWaiting) return log.error({ what }, "too much is waiting for the store; given up");
  waiting += 1;
  try {
    let pause = 100;
    for (let passed = 0; passed < forMilliseconds; passed += pause) {
      await delay(pause, undefined, { ref: false });
      const done = await work().then(
        () => true,
        () => false,
      );
      if (done) return log.info({ what }, "done now that the store is back");
      pause = Math.min(pause * 2, longestPause);
    }
    log.error({ what }, "the store did not come back in time; given up");
  } finally {
    waiting -= 1;
  }
}

import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@portvakt/runtime/observe";

/** What the store could not do when it was asked for, and is done when the store is back: a provider says once that a session has ended. */
export interface Waiting {
  /** Takes work unless some of the same name waits already. False when no more can wait. */
  add(name: string, work: () => Promise<unknown>): boolean;
}

const forMilliseconds = 600_000;
const firstPause = 100;
const longestPause = 5000;

/**
 * A queue for one kind of work, of at most `max` pieces. Tries for ten minutes at growing intervals, one piece for as long as that
 * fails; does not keep the process from ending, and tells in the log what came of it.
 */
export function waitingForStore(options: {
  readonly log: Logger;
  readonly what: string;
  readonly max: number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}): Waiting {
  const { log, what, max, wait = (pause) => delay(pause, undefined, { ref: false }) } = options;
  const waiting = new Map<string, { readonly work: () => Promise<unknown>; readonly since: number }>();
  /** Milliseconds that were waited, since the process began. */
  let passed = 0;
  let running = false;

  const giveUpOld = (): void => {
    for (const [name, { since }] of waiting) {
      if (passed - since < forMilliseconds) continue;
      waiting.delete(name);
      log.error({ what }, "the store did not come back in time; given up");
    }
  };
  const doAll = async (): Promise<void> => {
    for (const [name, one] of waiting) {
      waiting.delete(name);
      const done = await one.work().then(
        () => true,
        () => false,
      );
      // The store is away still, or this piece alone cannot be done: the next round begins with another.
      if (!done) return void waiting.set(name, one);
      log.info({ what }, "done now that the store is back");
    }
  };
  const run = async (): Promise<void> => {
    running = true;
    for (let pause = firstPause; waiting.size > 0; pause = Math.min(pause * 2, longestPause)) {
      await wait(pause);
      passed += pause;
      giveUpOld();
      await doAll();
    }
    running = false;
  };
  return {
    add(name, work) {
      if (!waiting.has(name) && waiting.size >= max) {
        log.error({ what }, "too much is waiting for the store; refused");
        return false;
      }
      waiting.set(name, { work, since: waiting.get(name)?.since ?? passed });
      if (!running) void run();
      return true;
    },
  };
}

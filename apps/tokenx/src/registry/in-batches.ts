import { setImmediate as endOfTurn } from "node:timers/promises";

interface Waiting<T, R> {
  readonly one: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** How much goes together at most. */
const maxBatch = 1_000;

/**
 * Makes one piece of work of all that comes in one turn of the event loop, and of what comes while such a piece is under way, so that there is
 * one at a time, however many requests there are. `work` gives what tells each its result; when it throws, all of its batch are told so.
 */
export function inBatches<T, R>(
  work: (batch: readonly T[]) => Promise<(one: T) => R>,
): (one: T) => Promise<R> {
  let queue: Waiting<T, R>[] = [];
  let isDraining = false;
  const drain = async (): Promise<void> => {
    isDraining = true;
    while (queue.length > 0) {
      await endOfTurn();
      const batch = queue.slice(0, maxBatch);
      queue = queue.slice(maxBatch);
      try {
        const resultOf = await work(batch.map(({ one }) => one));
        for (const { one, resolve } of batch) resolve(resultOf(one));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isDraining = false;
  };
  return (one) =>
    new Promise((resolve, reject) => {
      queue.push({ one, resolve, reject });
      if (!isDraining) void drain();
    });
}

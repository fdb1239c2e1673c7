import { nativeModule } from "./native.ts";

/**
 * Waits for the next turn of the event loop, where the runtime has Node's event loop and one core for it. Undefined elsewhere: on several
 * cores threads are better at long work.
 *
 * All who wait for one turn go on together, step by step: a processor that does like after like does it in less time (a token exchange:
 * about 3 %).
 */
export function turnOnOneCore(): (() => Promise<void>) | undefined {
  const os = nativeModule("node:os", "availableParallelism") as
    | { availableParallelism(): number }
    | undefined;
  const timers = nativeModule("node:timers", "setImmediate") as
    | { setImmediate(call: () => void): void }
    | undefined;
  if (timers === undefined || os?.availableParallelism() !== 1) return undefined;
  let next: Promise<void> | undefined;
  return () =>
    (next ??= new Promise((resolve) => {
      timers.setImmediate(() => {
        next = undefined;
        resolve();
      });
    }));
}

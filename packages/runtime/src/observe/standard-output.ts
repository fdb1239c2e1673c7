import { pino } from "pino";
import type { LogDestination } from "./logger.ts";

/** Longer than this, lines wait for no others. */
const maxWaiting = 16_384;

/**
 * Gathers what is logged in one step of the program, up to the next microtask, and writes it by one call. Whoever awaits anything after it
 * has logged goes on after its line is written. `flushSync` is for an end that no microtask comes after.
 */
export function gathering(out: LogDestination): LogDestination & { flushSync(): void } {
  let waiting = "";
  const flushSync = (): void => {
    const text = waiting;
    waiting = "";
    if (text !== "") out.write(text);
  };
  return {
    write: (line) => {
      if (waiting === "") queueMicrotask(flushSync);
      waiting += line;
      if (waiting.length > maxWaiting) flushSync();
    },
    flushSync,
  };
}

let shared: LogDestination | undefined;

/** The log of this process. */
export function standardOutput(): LogDestination {
  if (shared !== undefined) return shared;
  // Written at once: pino's default writes later, and when the reader of the pipe is gone by the time the process exits,
  // its last flush tries for ever, and the process never ends.
  const gathered = gathering(pino.destination({ fd: 1, sync: true }));
  process.on("exit", gathered.flushSync);
  return (shared = gathered);
}

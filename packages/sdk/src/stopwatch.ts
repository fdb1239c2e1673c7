import type { Clock } from "@portvakt/oauth";

/** Starts to measure: what it gives says how many seconds ago that was. */
export type Stopwatch = () => () => number;

/**
 * Makes what measures lifetimes, by whichever of two clocks says more: the one that everybody reads may be set back, the one that
 * nobody sets (`performance.now`) may stand still while the machine sleeps.
 */
export function createStopwatch(now: Clock, steady: Clock): Stopwatch {
  return () => {
    const [nowThen, steadyThen] = [now(), steady()];
    return () => Math.max(now() - nowThen, steady() - steadyThen);
  };
}

import { setTimeout as delay } from "node:timers/promises";

/** Asks again until `check` gives something, at most `seconds`; gives it, and how long it took. Throws when time is up. */
export async function eventually<T>(
  check: () => Promise<T | undefined>,
  seconds = 5,
): Promise<{ value: T; took: number }> {
  const began = performance.now();
  for (;;) {
    const value = await check();
    const took = (performance.now() - began) / 1000;
    if (value !== undefined) return { value, took };
    if (took > seconds) throw new Error(`nothing came of it in ${seconds} s`);
    await delay(10);
  }
}

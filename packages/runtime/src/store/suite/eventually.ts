// Waiting, in tests, for what another connection will bring about.
import { setTimeout as delay } from "node:timers/promises";

/** Resolves as soon as the condition holds. *Throws* after 5 s (2,500 looks): what is awaited takes milliseconds when it works. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 2500; looks++) {
    if (await condition()) return;
    await delay(2);
  }
  throw new Error("what was waited for did not happen");
}

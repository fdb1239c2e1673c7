import { createLogger } from "@portvakt/runtime/observe";
import { openStandins, type Standins, type StandinsOptions } from "./standins.ts";

export interface StartStandinsOptions extends Partial<Omit<StandinsOptions, "addresses">> {}

/**
 * Starts the stand-ins inside a test, on free ports: `await using idp = await startStandins({ now, registrations })`.
 * Silent; every client of every test can be registered at any time with `register`.
 */
export async function startStandins(
  options: StartStandinsOptions & Pick<StandinsOptions, "now">,
): Promise<Standins> {
  return openStandins({ log: createLogger({ name: "standins", level: "silent" }), ...options });
}

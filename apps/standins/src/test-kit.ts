// What tests need of the stand-ins, and nothing of what a server process is made of.

import { createLogger } from "@portvakt/runtime/observe";
import { openStandins, type Standins, type StandinsOptions } from "./standins.ts";

export type { Standins, TestStandins } from "./standins.ts";
export type { TokenOrder } from "./standin.ts";
export type { Effect, Endpoint, Fault, FaultOrder, ProviderName } from "./faults/faults.ts";
export type { RecordedRequest, RecordFilter } from "./faults/recorder.ts";
export type { Registrations, RegistrationsInput } from "./registrations.ts";
export { parsePersonas, type Citizen, type Employee, type Personas } from "./personas/personas.ts";

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

/** The part of a browser page that `login` uses; Playwright's `Page` is one. */
export interface SignInPage {
  click(selector: string): Promise<unknown>;
}

/** Signs in as a persona on a stand-in's page that is open: `await login(page, "kari")`. */
export async function login(page: SignInPage, persona: string): Promise<void> {
  if (!/^[a-z][a-z0-9-]*$/.test(persona)) throw new RangeError("a persona's id is a short lower-case word");
  await page.click(`button[name="persona"][value="${persona}"]`);
}

// Owns: the stand-ins as a package for anyone's tests: one line starts them, on the real clock, on free ports.
// Does not own: the stand-ins (apps/standins), nor any test runner.
// Request path: startStandins -> apps/standins.
// Spec: docs/fidelity.md says how true the stand-ins are.

import {
  startStandins as start,
  type Standins,
  type StartStandinsOptions,
} from "@portvakt/standins/test-kit";

export { login, parsePersonas, type SignInPage } from "@portvakt/standins/test-kit";
export type {
  Citizen,
  Effect,
  Employee,
  Endpoint,
  Fault,
  FaultOrder,
  Personas,
  ProviderName,
  RecordedRequest,
  RecordFilter,
  Registrations,
  RegistrationsInput,
  Standins,
  StartStandinsOptions,
  TestStandins,
  TokenOrder,
} from "@portvakt/standins/test-kit";

/**
 * Starts all stand-ins in this process: `await using idp = await startStandins()`. They listen on free ports of the loopback
 * interface, print nothing, and end with `close` or `await using`. Time is this machine's, unless `now` says otherwise
 * (seconds since the epoch).
 *
 * *Throws* where NODE_ENV is `production`: whoever reaches stand-ins can be anybody.
 */
export async function startStandins(options: StartStandinsOptions = {}): Promise<Standins> {
  if (process.env["NODE_ENV"] === "production")
    throw new Error("stand-ins do not start where NODE_ENV is production");
  return start({ ...options, now: options.now ?? (() => Date.now() / 1000) });
}

import { callExternal } from "./call-external.ts";
import { callForCitizen } from "./call-for-citizen.ts";
import { callForEmployee } from "./call-for-employee.ts";
import { callInternal } from "./call-internal.ts";
import type { Journey } from "../journey.ts";
import { signInCitizen } from "./sign-in-citizen.ts";
import { signInEmployee } from "./sign-in-employee.ts";
import { validateCallers } from "./validate-callers.ts";

/** The seven journeys, in the order of the handbook. */
export const journeys: readonly Journey[] = [
  signInCitizen,
  signInEmployee,
  callForCitizen,
  callForEmployee,
  callInternal,
  callExternal,
  validateCallers,
];

import { chainOf, hopAt, reasonOf, type SeenCall } from "./answers.ts";
import { mustBeOk } from "../failed.ts";
import { json } from "../http.ts";
import type { Trip } from "../journey.ts";
import { demo } from "./people.ts";

/** Lets payout-job run one of its two steps, and gives what the API at the other end saw. */
export async function runStep(trip: Trip, step: "cases" | "assessments", at: string): Promise<SeenCall> {
  const response = await trip.ask(`${demo(trip, "payout-job").url}/run/${step}`, { method: "POST" });
  const answer = await json(response, "payout-job");
  mustBeOk(response.status, `payout-job could not do its work: ${reasonOf(answer, response.status)}`);
  return hopAt(chainOf(answer, "payout-job"), at);
}

import { must } from "../failed.ts";
import type { Journey } from "../journey.ts";
import { demo } from "./people.ts";
import { runStep } from "./payout.ts";

/** Journey 3.1: client credentials, payout-job -> case-api. */
export const callInternal: Journey = {
  id: "3.1",
  name: "call an internal API as oneself with Entra ID",
  async travel(trip) {
    const hop = await runStep(trip, "cases", "case-api");
    must(
      hop.calledBy === demo(trip, "payout-job").id,
      `case-api was called by ${hop.calledBy} instead of payout-job`,
    );
    must(hop.onBehalfOf === undefined, `case-api saw a user (${hop.onBehalfOf}) where there is none`);
    return ["case-api was called by payout-job as itself"];
  },
};

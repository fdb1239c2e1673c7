import { must } from "../failed.ts";
import type { Journey } from "../journey.ts";
import { runStep } from "./payout.ts";

/** Journey 3.2: the JWT authorization grant, payout-job -> another organisation's API. */
export const callExternal: Journey = {
  id: "3.2",
  name: "call an external API as oneself with Maskinporten",
  async travel(trip) {
    const hop = await runStep(trip, "assessments", "tax-authority");
    must(
      /\d{9}/.test(hop.calledBy),
      `the tax authority was not told which organisation called, but "${hop.calledBy}"`,
    );
    must(
      hop.onBehalfOf === undefined,
      `the tax authority saw a user (${hop.onBehalfOf}) where there is none`,
    );
    return [`the tax authority was called by ${hop.calledBy}`];
  },
};

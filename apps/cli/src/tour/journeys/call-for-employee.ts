import { chainOf, hopAt, reasonOf } from "./answers.ts";
import { must, mustBeOk } from "../failed.ts";
import { json } from "../http.ts";
import type { Journey } from "../journey.ts";
import { demo, employee, signIn } from "./people.ts";

/** Journey 2.2: the on-behalf-of grant, caseworker -> case-api. */
export const callForEmployee: Journey = {
  id: "2.2",
  name: "call an API on behalf of an employee with Entra ID",
  async travel(trip) {
    const browser = trip.browser();
    const { issuer } = trip.state.providers.entra;
    await signIn(trip, browser, {
      application: "caseworker",
      provider: "Entra ID",
      issuer,
      person: employee,
    });
    const response = await browser.fetch(`${demo(trip, "caseworker").url}/api/cases`);
    const answer = await json(response, "caseworker");
    mustBeOk(response.status, `caseworker could not list the cases: ${reasonOf(answer, response.status)}`);
    const chain = chainOf(answer, "caseworker");
    const start = hopAt(chain, "caseworker");
    const hop = hopAt(chain, "case-api");
    must(
      hop.calledBy === demo(trip, "caseworker").id,
      `case-api was called by ${hop.calledBy} instead of caseworker`,
    );
    must(
      hop.onBehalfOf !== undefined && hop.onBehalfOf === start.onBehalfOf,
      `case-api saw ${hop.onBehalfOf ?? "nobody"} where caseworker saw ${start.onBehalfOf ?? "nobody"}`,
    );
    return [`case-api was called by caseworker, on behalf of ${hop.onBehalfOf}`];
  },
};

import { chainOf, hopAt, reasonOf } from "./answers.ts";
import { must, mustBeOk } from "../failed.ts";
import { json } from "../http.ts";
import type { Journey } from "../journey.ts";
import { citizen, demo, signIn } from "./people.ts";

/** Journey 2.1: two token exchanges in a row, portal -> application-api -> income-register, that keep the citizen. */
export const callForCitizen: Journey = {
  id: "2.1",
  name: "call an API on behalf of a citizen with TokenX",
  async travel(trip) {
    const browser = trip.browser();
    const { issuer } = trip.state.providers.idporten;
    await signIn(trip, browser, { application: "portal", provider: "ID-porten", issuer, person: citizen });
    const response = await browser.fetch(`${demo(trip, "portal").url}/api/overview`);
    const answer = await json(response, "the portal");
    mustBeOk(
      response.status,
      `the portal could not show her application: ${reasonOf(answer, response.status)}`,
    );
    const chain = chainOf(answer, "the portal");
    const start = hopAt(chain, "portal");
    const first = hopAt(chain, "application-api");
    const second = hopAt(chain, "income-register");
    must(
      first.calledBy === demo(trip, "portal").id,
      `application-api was called by ${first.calledBy} instead of the portal`,
    );
    must(
      second.calledBy === demo(trip, "application-api").id,
      `income-register was called by ${second.calledBy} instead of application-api`,
    );
    const person = start.onBehalfOf;
    must(person !== undefined, "the portal does not know who is signed in");
    must(
      first.onBehalfOf === person && second.onBehalfOf === person,
      "the citizen was lost on the way: not every application saw the same person",
    );
    return [
      "portal -> application-api -> income-register, a token of its own for each",
      "every one of them knew the citizen",
    ];
  },
};

import { must } from "../failed.ts";
import type { Journey } from "../journey.ts";
import { citizen, signIn, signOut } from "./people.ts";

/** Journey 1.1: login proxy and ID-porten. */
export const signInCitizen: Journey = {
  id: "1.1",
  name: "sign in a citizen with ID-porten",
  async travel(trip) {
    const browser = trip.browser();
    const { issuer } = trip.state.providers.idporten;
    const { chooser } = await signIn(trip, browser, {
      application: "portal",
      provider: "ID-porten",
      issuer,
      person: citizen,
    });
    const pushed = chooser.way.some(
      (url) => url.startsWith(issuer) && new URL(url).searchParams.has("request_uri"),
    );
    must(pushed, "the authorization request was not pushed (RFC 9126), although ID-porten asks for that");
    await signOut(trip, browser, "portal");
    return [
      "the portal sent the browser to ID-porten with a pushed request",
      `${citizen} was signed in, and out again`,
    ];
  },
};

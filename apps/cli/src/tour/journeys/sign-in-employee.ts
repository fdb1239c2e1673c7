import type { Journey } from "../journey.ts";
import { employee, signIn, signOut } from "./people.ts";

/** Journey 1.2: login proxy and Entra ID. */
export const signInEmployee: Journey = {
  id: "1.2",
  name: "sign in an employee with Entra ID",
  async travel(trip) {
    const browser = trip.browser();
    const { issuer } = trip.state.providers.entra;
    await signIn(trip, browser, {
      application: "caseworker",
      provider: "Entra ID",
      issuer,
      person: employee,
    });
    await signOut(trip, browser, "caseworker");
    return ["caseworker sent the browser to Entra ID", `${employee} was signed in, and out again`];
  },
};

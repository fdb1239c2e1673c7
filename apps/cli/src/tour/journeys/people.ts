import type { DevApplication } from "../../running/state.ts";
import type { Browser, Page } from "../browser/browser.ts";
import { Failed, isPassing, must } from "../failed.ts";
import type { Trip } from "../journey.ts";

/** Whom the tour signs in as: one of the stand-ins' people each. */
export const citizen = "Kari Fjellrev";
export const employee = "Anna Granskog";

/** An application of the demo. The tour is about these; a platform without them cannot be toured. */
export function demo(trip: Trip, name: string): DevApplication & { readonly name: string } {
  const application = trip.state.applications[name];
  if (application === undefined) {
    throw new Failed(`the platform that runs has no application named ${name}`, {
      hint: "the tour is of the demo: `portvakt dev --demo`",
    });
  }
  return { ...application, name };
}

/** The address of an application's token API. */
export function tokenApi(trip: Trip, name: string): string {
  const { tokens } = demo(trip, name);
  if (tokens === undefined) throw new Failed(`${name} has no token API`);
  return tokens;
}

/**
 * Opens the application as a person who is not signed in, is sent to the provider, picks who to be, and comes back.
 * Fails when any of that goes another way.
 */
export async function signIn(
  trip: Trip,
  browser: Browser,
  who: { application: string; provider: string; issuer: string; person: string },
): Promise<{ chooser: Page; home: Page }> {
  const { url } = demo(trip, who.application);
  const chooser = await browser.open(url);
  const provider = new URL(who.issuer).origin;
  if (chooser.status >= 500) throw notNow(who.application, chooser);
  must(
    new URL(chooser.url).origin === provider,
    `${who.application} did not send a visitor without a session to ${who.provider}, but to ${chooser.url}`,
    `the page says: ${chooser.text.slice(0, 200)}`,
  );
  const home = await browser.press(chooser, who.person);
  if (home.status >= 500) throw notNow(who.application, home);
  must(
    home.url.startsWith(url) && home.status === 200,
    `after signing in, the browser was not back at ${who.application} but got ${home.status} at ${withoutQuery(home.url)}`,
    `the page says: ${home.text.slice(0, 200)}`,
  );
  return { chooser, home };
}

function notNow(application: string, { status, url, text }: Page): Failed {
  return new Failed(`${application} could not show its page: ${status} at ${withoutQuery(url)}`, {
    hint: `the page says: ${text.slice(0, 300)}`,
    passing: isPassing(status),
  });
}

/** An address without its query, which may hold a code or a state. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Signs out at `/oauth2/logout` and makes sure that the session is gone. */
export async function signOut(trip: Trip, browser: Browser, application: string): Promise<void> {
  const { url } = demo(trip, application);
  const before = await browser.fetch(`${url}/oauth2/session`);
  must(
    before.status === 200,
    `${application} did not know the session right after signing in: ${before.status}`,
  );
  await browser.open(`${url}/oauth2/logout`);
  const after = await browser.fetch(`${url}/oauth2/session`);
  must(
    after.status === 401,
    `${application} still answers ${after.status} for the session after signing out`,
  );
}

import type { DevApplication, DevState } from "../running/state.ts";
import { bad, good, note, type Check, type Finding } from "./finding.ts";

const timeoutMs = 5000;
/** What browsers and proxies take for sure (RFC 6265 section 6.1: 4096 bytes a cookie; 8 KiB of headers in many servers). */
const cookieBytes = 4096;
const headerBytes = 8192;

/** Every application of the running platform: reachable by people, by other applications, and its sign-in. */
export function platformChecks(running: DevState): readonly Check[] {
  return Object.entries(running.applications).flatMap(([name, application]) => [
    async () => [await reachable(name, "for people and other applications", application.url)],
    async () => [await reachable(name, "itself, behind its login proxy", application.direct)],
    ...(application.tokens === undefined ? [] : [async () => [await tokenApi(name, application)]]),
    ...(application.login === undefined ? [] : [async () => await signIn(name, application)]),
  ]);
}

async function reachable(name: string, what: string, url: string): Promise<Finding> {
  const response = await ask(url);
  if (response !== undefined) return good(name, `${what}: ${url} answers`);
  return bad(
    name,
    `${what}: ${url} does not answer`,
    "start it (its variables are in .portvakt), or look into its log",
  );
}

async function tokenApi(name: string, { tokens = "" }: DevApplication): Promise<Finding> {
  const response = await ask(`${tokens}/api/v1/introspect`);
  if (response !== undefined) return good(name, `its token API at ${tokens} answers`);
  return bad(
    name,
    `its token API at ${tokens} does not answer`,
    "`portvakt dev` starts it again; see its log",
  );
}

/** Begins a sign-in as a browser would, and looks at what the browser has to carry. */
async function signIn(name: string, { url }: DevApplication): Promise<Finding[]> {
  const response = await ask(`${url}/oauth2/login`);
  const to = response?.headers.get("location");
  if (response === undefined || to == null) {
    return [
      bad(name, "its login proxy does not send browsers to sign in", "look into the login proxy's log"),
    ];
  }
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]?.length ?? 0);
  const sum = cookies.reduce((all, one) => all + one, 0);
  const largest = Math.max(0, ...cookies);
  const detail = `a sign-in sets ${cookies.length} cookies of ${sum} bytes, in an address of ${to.length}`;
  const tooLarge = largest > cookieBytes || sum + to.length > headerBytes;
  return [
    tooLarge
      ? bad(name, detail, "browsers and proxies cut off what is larger: shorten the addresses to return to")
      : good(name, detail),
  ];
}

async function ask(url: string): Promise<Response | undefined> {
  const headers = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  return await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) }).catch(
    () => undefined,
  );
}

/** No platform runs here. */
export function noPlatform(): Finding {
  return note(
    "platform",
    "no platform runs here",
    "start one with `portvakt dev` to have its addresses looked at too",
  );
}

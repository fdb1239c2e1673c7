import type { DevState } from "../running/state.ts";
import { createAsk } from "../tour/http.ts";
import { bad, good, note, type Check, type Finding } from "./finding.ts";

/** What browsers and proxies take for sure (RFC 6265 section 6.1: 4096 bytes a cookie; 8 KiB of headers in many servers). */
const cookieBytes = 4096;
const headerBytes = 8192;

/** Every application of the running platform: reachable by people, by other applications, and its sign-in. */
export function platformChecks(running: DevState): readonly Check[] {
  const send = createAsk(running);
  // as a browser that somebody typed the address into
  const headers = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const ask: Ask = (url) => send(url, { headers }).catch(() => undefined);
  return Object.entries(running.applications).flatMap(([name, { url, direct, tokens, login }]) => [
    async () => [await reachable(name, "for people and other applications", url, ask)],
    ...(tokens === undefined ? [] : [async () => [await tokenApi(name, tokens, ask)]]),
    ...(login === undefined
      ? []
      : [
          async () => [await reachable(name, "itself, behind its login proxy", direct, ask)],
          async () => [await signIn(name, url, ask)],
        ]),
  ]);
}

/** The answer, or nothing where nobody answers. */
type Ask = (url: string) => Promise<Response | undefined>;

async function reachable(name: string, what: string, url: string, ask: Ask): Promise<Finding> {
  if ((await ask(url)) !== undefined) return good(name, `${what}: ${url} answers`);
  return bad(
    name,
    `${what}: ${url} does not answer`,
    "start it (its variables are in .portvakt), or look into its log",
  );
}

async function tokenApi(name: string, url: string, ask: Ask): Promise<Finding> {
  if ((await ask(`${url}/api/v1/introspect`)) !== undefined)
    return good(name, `its token API at ${url} answers`);
  return bad(name, `its token API at ${url} does not answer`, "`portvakt dev` starts it again; see its log");
}

/** Begins a sign-in as a browser would, and looks at what the browser has to carry. */
async function signIn(name: string, url: string, ask: Ask): Promise<Finding> {
  const response = await ask(`${url}/oauth2/login`);
  const to = response?.headers.get("location");
  if (response === undefined || to == null) {
    return bad(name, "its login proxy does not send browsers to sign in", "look into the login proxy's log");
  }
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]?.length ?? 0);
  const sum = cookies.reduce((all, one) => all + one, 0);
  const detail = `a sign-in sets ${cookies.length} cookie${cookies.length === 1 ? "" : "s"} of ${sum} bytes, in an address of ${to.length}`;
  const tooLarge = Math.max(0, ...cookies) > cookieBytes || sum + to.length > headerBytes;
  return tooLarge
    ? bad(name, detail, "browsers and proxies cut off what is larger: shorten the addresses to return to")
    : good(name, detail);
}

/** No platform runs here. */
export function noPlatform(): Finding {
  return note(
    "platform",
    "no platform runs here",
    "start one with `portvakt dev` to have its addresses looked at too",
  );
}

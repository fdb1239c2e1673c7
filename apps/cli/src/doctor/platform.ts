import type { DevState } from "../running/state.ts";
import { createAsk } from "../tour/http.ts";
import { bad, good, note, type Check, type Finding } from "./finding.ts";
import { hostFindings, signInFinding, type SignIn } from "./cookies.ts";

/** A token with two hundred groups, the most that Entra ID puts into one. */
const largestToken = 8000;

/** Every application of the running platform: reachable by people, by other applications, and its sign-in. */
export function platformChecks(running: DevState): readonly Check[] {
  const send = createAsk(running);
  // as a browser that somebody typed the address into
  const browser = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const ask: Ask = (url, headers) =>
    send(url, { headers: { ...browser, ...headers } }).catch(() => undefined);
  const applications = Object.entries(running.applications);
  const own = applications.flatMap(([name, { url, direct, tokens, login }]): readonly Check[] => [
    async () => [await reachable(name, "for people and other applications", url, ask)],
    async () => await headRoom(name, direct, ask),
    ...(tokens === undefined ? [] : [async () => [await tokenApi(name, tokens, ask)]]),
    ...(login === undefined
      ? []
      : [async () => [await reachable(name, "itself, behind its login proxy", direct, ask)]]),
  ]);
  const signedInTo = applications.filter(([, { login }]) => login !== undefined);
  return [
    ...own,
    async () => {
      const all = await Promise.all(signedInTo.map(([name, { url }]) => beginSignIn(name, url, ask)));
      return [...all.map(signInFinding), ...hostFindings(all)];
    },
  ];
}

/** The answer, or nothing where nobody answers. */
type Ask = (url: string, headers?: Readonly<Record<string, string>>) => Promise<Response | undefined>;

async function reachable(name: string, what: string, url: string, ask: Ask): Promise<Finding> {
  if ((await ask(url)) !== undefined) return good(name, `${what}: ${url} answers`);
  return bad(
    name,
    `${what}: ${url} does not answer`,
    "start it (its variables are in .portvakt), or look into its log",
  );
}

/** Whether an application takes the largest request head that its callers and its login proxy may send; nothing where it does not answer at all. */
async function headRoom(name: string, direct: string, ask: Ask): Promise<readonly Finding[]> {
  if ((await ask(direct)) === undefined) return [];
  const answer = await ask(direct, { authorization: `Bearer ${"x".repeat(largestToken)}` });
  const tooLarge = answer === undefined || answer.status === 431 || answer.status === 413;
  const detail = `a request with a token of ${largestToken} bytes`;
  return tooLarge
    ? [
        bad(
          name,
          `${detail} is refused by its server (${answer?.status ?? "it breaks off"})`,
          "let its server take larger heads (Node: --max-http-header-size=32768), or name fewer groups in its manifest",
        ),
      ]
    : [good(name, `${detail} is taken`)];
}

async function tokenApi(name: string, url: string, ask: Ask): Promise<Finding> {
  if ((await ask(`${url}/api/v1/introspect`)) !== undefined)
    return good(name, `its token API at ${url} answers`);
  return bad(name, `its token API at ${url} does not answer`, "`portvakt dev` starts it again; see its log");
}

/** Begins a sign-in as a browser would. */
async function beginSignIn(name: string, url: string, ask: Ask): Promise<SignIn> {
  const response = await ask(`${url}/oauth2/login`);
  return {
    name,
    host: new URL(url).hostname,
    to: response?.headers.get("location") ?? undefined,
    cookies: (response?.headers.getSetCookie() ?? []).map((cookie) => cookie.split(";")[0]?.length ?? 0),
  };
}

/** No platform runs here. */
export function noPlatform(): Finding {
  return note(
    "platform",
    "no platform runs here",
    "start one with `portvakt dev` to have its addresses looked at too",
  );
}

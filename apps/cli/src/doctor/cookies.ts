import { bad, good, type Finding } from "./finding.ts";

/** A sign-in that was begun: where it sends the browser, and what the browser has to carry. */
export interface SignIn {
  readonly name: string;
  /** Browsers tell cookies apart by host, not by port (RFC 6265 section 8.5). */
  readonly host: string;
  /** Undefined where it sends nobody anywhere. */
  readonly to: string | undefined;
  /** Bytes of each, name and value. */
  readonly cookies: readonly number[];
}

/** What browsers and proxies take for sure (RFC 6265 section 6.1: 4096 bytes a cookie; 8 KiB of headers in many servers). */
const cookieBytes = 4096;
const headerBytes = 8192;
/** A session's cookie is never larger. */
const sessionBytes = 1024;

/** One application's sign-in. */
export function signInFinding({ name, to, cookies }: SignIn): Finding {
  if (to === undefined)
    return bad(name, "its login proxy does not send browsers to sign in", "look into the login proxy's log");
  const sum = total(cookies);
  const detail = `a sign-in sets ${cookies.length} cookie${cookies.length === 1 ? "" : "s"} of ${sum} bytes, in an address of ${to.length}`;
  const tooLarge = Math.max(0, ...cookies) > cookieBytes || sum + to.length > headerBytes;
  return tooLarge
    ? bad(name, detail, "browsers and proxies cut off what is larger: shorten the addresses to return to")
    : good(name, detail);
}

/** What a browser carries to each host where it is signed in to every application, and a sign-in is under way at each. */
export function hostFindings(all: readonly SignIn[]): readonly Finding[] {
  const hosts = Map.groupBy(all, ({ host }) => host);
  return [...hosts].map(([host, applications]) => {
    const bytes = total(applications.map(({ cookies }) => total(cookies) + sessionBytes));
    const count = `${applications.length} application${applications.length === 1 ? "" : "s"}`;
    const detail = `${count} with a sign-in: a browser carries up to ${bytes} bytes of cookies to each`;
    return bytes > headerBytes
      ? bad(
          host,
          detail,
          "give them hosts of their own (spec.ingresses): paths and ports do not keep cookies apart",
        )
      : good(host, detail);
  });
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, one) => sum + one, 0);
}

import type { IncomingHttpHeaders } from "node:http";
import type { Origins } from "./cors.ts";

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** What the cross-site rule says: undefined when the request may go on, else the reason to show. */
export type CrossSiteRefusal = string | undefined;

/** Whether a method changes nothing by definition (RFC 9110 section 9.2.1); TRACE is never forwarded with a session. */
export function isSafe(method: string): boolean {
  return safeMethods.has(method);
}

/**
 * Judges whether a request that carries a session was started by the application's own pages. For unsafe methods and for
 * protocol upgrades, which browsers send across sites with cookies and without asking.
 * Checks: `Sec-Fetch-Site`, or `Origin` where a browser does not send that; `allowed` are further origins, exactly as browsers write them.
 * Does not check: tokens in forms. Denies when neither header is there: no browser with a session omits both.
 */
export function judgeCrossSite(
  headers: IncomingHttpHeaders,
  ownOrigin: string,
  allowed: Origins,
): CrossSiteRefusal {
  const origin = headers.origin;
  if (origin !== undefined && allowed.has(origin)) return undefined;
  const site = headers["sec-fetch-site"];
  if (site !== undefined) {
    if (site === "same-origin" || site === "none") return undefined;
    return "the browser says that another site sent this request (Sec-Fetch-Site)";
  }
  if (origin === undefined) return "neither Sec-Fetch-Site nor Origin says which site sent this request";
  return origin === ownOrigin ? undefined : "the Origin header names another site";
}

import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether a person is looking at what this request will show: Fetch Metadata where the browser sends it, else `Accept`.
 * Anything else is a background call, which must get 401 and never a redirect to another origin.
 */
export function isNavigation(method: string, headers: IncomingHttpHeaders): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const mode = headers["sec-fetch-mode"];
  const destination = headers["sec-fetch-dest"];
  if (mode !== undefined || destination !== undefined)
    return (mode ?? "navigate") === "navigate" && (destination ?? "document") === "document";
  return acceptsHtml(headers.accept);
}

/**
 * Whether an interactive endpoint (login, logout and their callbacks) may answer: refused only when Fetch Metadata is complete and
 * speaks of something else than a top-level navigation.
 */
export function mayInteract(method: string, headers: IncomingHttpHeaders): boolean {
  const mode = headers["sec-fetch-mode"];
  const destination = headers["sec-fetch-dest"];
  if (mode === undefined || destination === undefined) return true;
  return method === "GET" && mode === "navigate" && destination === "document";
}

function acceptsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return accept.split(",").some((part) => {
    const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    return type === "text/html" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

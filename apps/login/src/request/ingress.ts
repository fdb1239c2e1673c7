/** Where the application is reached from outside: declared by whoever runs the proxy, never inferred from a request. */
export interface Ingress {
  /** As browsers write it: scheme, host, and the port when it is not the scheme's own. */
  readonly origin: string;
  readonly host: string;
  /** "" for the root, else "/base" without a trailing slash. */
  readonly prefix: string;
  /** Whether the browser reaches it over TLS; decides `Secure` and the name prefixes of our cookies. */
  readonly secure: boolean;
  /** Set where users are signed in for a whole domain: they may be sent on to any of its hosts, and else to `home`. */
  readonly signsInFor?: { readonly domain: string; readonly home: string };
}

const loopbackHosts = /^((?:[a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads one declared ingress, such as `https://app.example.no/base`.
 * Checks: http(s), no user information, query or fragment, a path without dot segments or encodings; plain http only on this machine.
 * Does not check: that the name resolves, or that a route to it exists.
 * Throws: Error with a sentence for the operator.
 */
export function parseIngress(text: string): Ingress {
  const url = URL.parse(text.trim());
  if (url === null) throw new Error("is not an absolute URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new Error("must be http or https");
  if (url.username !== "" || url.password !== "") throw new Error("must not carry a user name or password");
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#"))
    throw new Error("must not carry a query or a fragment");
  if (!/^[A-Za-z0-9._~/-]*$/.test(url.pathname) || /\/\.{0,2}\//.test(url.pathname))
    throw new Error("must have a plain path");
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new Error("must be https: plain http is for localhost only");
  return {
    origin: url.origin,
    host: url.host,
    prefix: url.pathname.replace(/\/+$/, ""),
    secure: url.protocol === "https:",
  };
}

/** Whether a URL's host name is this machine itself. */
export function isLoopback(hostname: string): boolean {
  return loopbackHosts.test(hostname.toLowerCase());
}

/** Whether a host name is `domain` or a name below it, on a dot boundary; `notexample.no` does not belong to `example.no`. */
export function belongsTo(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`);
}

/** Whether `path` is `prefix` or lies below it; `/application` does not lie below `/app`. */
export function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  const next = path.charCodeAt(prefix.length);
  return prefix === "" || Number.isNaN(next) || next === 47;
}

/**
 * Finds the declared ingress that a request came in by: same host, longest matching path prefix.
 * Checks: host (case, default ports) and path on segment boundaries. Does not check: who sent the request.
 */
export function matchIngress(
  ingresses: readonly Ingress[],
  host: string | undefined,
  path: string,
): Ingress | undefined {
  if (host === undefined) return undefined;
  const asked = host.toLowerCase();
  let best: Ingress | undefined;
  for (const ingress of ingresses) {
    if (!sameHost(ingress, asked) || !isUnder(path, ingress.prefix)) continue;
    if (best === undefined || ingress.prefix.length > best.prefix.length) best = ingress;
  }
  return best;
}

function sameHost(ingress: Ingress, asked: string): boolean {
  return asked === ingress.host || asked === `${ingress.host}:${ingress.secure ? "443" : "80"}`;
}

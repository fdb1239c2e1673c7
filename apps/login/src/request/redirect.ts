import type { Ingress } from "./ingress.ts";
import { belongsTo, isUnder } from "./ingress.ts";

declare const checked: unique symbol;

/**
 * A path with query and fragment that stays on its own ingress; where users are signed in for a domain, an address of one of its
 * hosts. Made only here; everything that redirects demands it.
 */
export type CheckedRedirect = string & { readonly [checked]: true };

/** Of what came in, and of what it becomes: some characters are three in an address. */
const maxLength = 2048;

/**
 * Checks a redirect target that came from outside (query, Referer, cookie), with the browsers' own URL rules as the judge.
 * Checks: same origin as the ingress, inside a declared path prefix, no user information; no control character, white space
 * (but for encoded spaces) or backslash, and no empty or dot segment in the path, raw or after one or two rounds of decoding; not one
 * of our own endpoints.
 * Does not check: that the page exists. Returns undefined for what must not be followed.
 */
export function checkRedirect(
  raw: string | null | undefined,
  at: Ingress,
  ingresses: readonly Ingress[],
): CheckedRedirect | undefined {
  if (raw === undefined || raw === null || raw === "" || raw.length > maxLength) return undefined;
  if (/[^!-~]|\\/.test(raw)) return undefined;
  if (at.signsInFor !== undefined) return checkInDomain(raw, at, at.signsInFor.domain);
  if (!raw.startsWith("/") && !raw.toLowerCase().startsWith(`${at.origin.toLowerCase()}/`)) return undefined;
  const plain = plainPath(raw.startsWith("/") ? raw : raw.slice(at.origin.length));
  if (plain === undefined) return undefined;
  const url = URL.parse(raw, at.origin);
  if (url === null || url.origin !== at.origin || url.username !== "" || url.password !== "")
    return undefined;
  if (!ingresses.some((one) => one.origin === url.origin && isUnder(url.pathname, one.prefix)))
    return undefined;
  // Ingresses may lie in each other, and each has endpoints.
  if (ingresses.some(({ prefix }) => isUnder(plain.toLowerCase(), `${prefix.toLowerCase()}/oauth2`)))
    return undefined;
  const result = url.pathname + url.search + url.hash;
  if (result.length > maxLength) return undefined;
  // What we write into Location is read once more by a browser: it must come out as the very same place.
  return URL.parse(result, at.origin)?.href === url.href ? (result as CheckedRedirect) : undefined;
}

/** A full address of a host of the domain: https, or http where the ingress itself is that; not an endpoint of any proxy there. */
function checkInDomain(raw: string, at: Ingress, domain: string): CheckedRedirect | undefined {
  // The host is read as it is written: without user information, escapes, or other spellings of it.
  const [start = "", host = ""] = /^https?:\/\/([a-z0-9.-]+)(?::\d{1,5})?(?=[/?#]|$)/i.exec(raw) ?? [];
  const plain = plainPath(raw.slice(start.length));
  const url = URL.parse(raw);
  if (url === null || plain === undefined || url.hostname !== host.toLowerCase()) return undefined;
  if (url.protocol !== "https:" && (at.secure || url.protocol !== "http:")) return undefined;
  if (!belongsTo(url.hostname, domain) || /\/oauth2(\/|$)/i.test(plain)) return undefined;
  return url.href.length > maxLength ? undefined : (url.href as CheckedRedirect);
}

/** The target when none was asked for, or the one asked for was refused: the ingress itself, or what stands in for it. */
export function homeOf(ingress: Ingress): CheckedRedirect {
  return (ingress.signsInFor?.home ?? `${ingress.prefix}/`) as CheckedRedirect;
}

/** The path of a target, decoded until nothing is left to decode; undefined when any layer of it could be read as another place. */
function plainPath(target: string): string | undefined {
  let path = target.split(/[?#]/, 1)[0] ?? "";
  for (let round = 0; round < 4; round++) {
    // A space came in encoded and stays so: names of files have them.
    if (/[\u0000-\u001f\u007f-\u00a0\u2028\u2029\ufeff\\]/.test(path)) return undefined;
    if (/\/\/|\/\.{1,2}(\/|$)/.test(path)) return undefined;
    if (!path.includes("%")) return path;
    try {
      path = decodeURIComponent(path);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

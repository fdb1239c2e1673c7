/** A request path, read once: the same reading decides the rules and is what goes upstream. */
export interface RequestPath {
  /** The path exactly as it is forwarded. */
  readonly path: string;
  /** "" or the query with its question mark, exactly as it is forwarded. */
  readonly search: string;
  /** True when two parsers could read the path differently; rules that list paths must then refuse to decide. */
  readonly ambiguous: boolean;
  /** The path with harmless escapes decoded, for matching rules. Meaningful only when not ambiguous. */
  readonly canonical: string;
}

const dotSegment = /(^|\/)(\.|%2e){1,2}(;[^/]*)?(\/|$)/i;
// Encoded slash, backslash, NUL and other controls; what would end the path ("?", "#"); a second layer of encoding ("%25"); path
// parameters that some servers cut off.
const suspicious = /%(2f|5c|0[0-9a-f]|1[0-9a-f]|7f|25|3f|23)|[\\;]|\/\//i;

/**
 * Reads the target of a request line (RFC 9112 section 3.2.1, origin-form).
 * Checks: that it starts with "/", has no control characters, white space, fragment or non-ASCII bytes.
 * Does not check: whether the path exists, or leaves an ingress. Returns undefined for what must be answered with 400.
 */
export function readTarget(target: string | undefined): RequestPath | undefined {
  if (target === undefined || target.charCodeAt(0) !== 47) return undefined;
  if (/[^!-~]|#/.test(target)) return undefined;
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const search = mark === -1 ? "" : target.slice(mark);
  if (!path.includes("%") && plain.test(path)) return { path, search, ambiguous: false, canonical: path };
  const canonical = dotSegment.test(path) || suspicious.test(path) ? undefined : decodeHarmless(path);
  return { path, search, ambiguous: canonical === undefined, canonical: canonical ?? path };
}

/** The overwhelmingly common case, one linear test: segments of unreserved characters, none of which is a dot segment. */
const plain = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)*\/?$/;

/** The path as UTF-8 (RFC 3986 section 2.5); undefined for other bytes, which one parser refuses and another takes for anything. */
function decodeHarmless(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

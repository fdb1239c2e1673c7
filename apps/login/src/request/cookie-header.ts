/**
 * Reads a Cookie header (RFC 6265 section 4.2). The first of two cookies with one name wins: it has the more specific path.
 * Does not check: values; all of ours are sealed.
 */
export function readCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  if (header === undefined) return cookies;
  for (const part of header.split(";")) {
    const equals = part.indexOf("=");
    if (equals === -1) continue;
    const name = part.slice(0, equals).trim();
    if (!cookies.has(name)) cookies.set(name, part.slice(equals + 1).trim());
  }
  return cookies;
}

/** Finds one cookie without reading the others: the way of every proxied request. */
export function findCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  let from = 0;
  for (;;) {
    const at = header.indexOf(name, from);
    if (at === -1) return undefined;
    const after = at + name.length;
    if (header.charCodeAt(after) === 61 && startsPair(header, at)) {
      const end = header.indexOf(";", after);
      return header.slice(after + 1, end === -1 ? undefined : end).trim();
    }
    from = after;
  }
}

/** Removes every cookie of ours from a Cookie header; "" when nothing is left. The others keep their exact text. */
export function withoutOwnCookies(header: string, isOwn: (name: string) => boolean): string {
  return header
    .split(";")
    .filter((part) => {
      const equals = part.indexOf("=");
      return !isOwn((equals === -1 ? part : part.slice(0, equals)).trim());
    })
    .join(";")
    .trim();
}

function startsPair(header: string, at: number): boolean {
  for (let index = at - 1; index >= 0; index--) {
    const code = header.charCodeAt(index);
    if (code === 59) return true;
    if (code !== 32 && code !== 9) return false;
  }
  return true;
}

export interface CookieAttributes {
  readonly path: string;
  readonly secure: boolean;
  readonly sameSite: "Strict" | "Lax" | "None";
  readonly domain?: string;
  /** Seconds; absent = until the browser closes. */
  readonly maxAgeSeconds?: number;
}

/** Writes a Set-Cookie value (RFC 6265bis). Always HttpOnly: no script has business with our cookies. */
export function setCookie(name: string, value: string, attributes: CookieAttributes): string {
  let text = `${name}=${value}; Path=${attributes.path}; HttpOnly; SameSite=${attributes.sameSite}`;
  if (attributes.secure) text += "; Secure";
  if (attributes.domain !== undefined) text += `; Domain=${attributes.domain}`;
  if (attributes.maxAgeSeconds !== undefined) text += `; Max-Age=${Math.floor(attributes.maxAgeSeconds)}`;
  return text;
}

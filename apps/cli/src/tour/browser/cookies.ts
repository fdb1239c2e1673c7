/** A browser's cookies for one host. As in browsers, the port plays no part (RFC 6265 section 8.5). */
export interface CookieJar {
  /** Takes the Set-Cookie headers of an answer. */
  take(url: URL, headers: Headers): void;
  /** The Cookie header for a request, or undefined. */
  header(url: URL): string | undefined;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
}

/** An empty jar: RFC 6265 as far as cookies of one visit need it (names, paths, removal; localhost counts as secure). */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();
  return {
    take(url, headers) {
      for (const line of headers.getSetCookie()) {
        const { cookie, removes } = parse(line, url);
        const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
        if (removes) cookies.delete(key);
        else cookies.set(key, cookie);
      }
    },
    header(url) {
      const fitting = [...cookies.values()].filter(
        ({ host, path }) => host === url.hostname && covers(path, url.pathname),
      );
      const pairs = fitting
        .sort((a, b) => b.path.length - a.path.length)
        .map(({ name, value }) => `${name}=${value}`);
      return pairs.length === 0 ? undefined : pairs.join("; ");
    },
  };
}

function parse(line: string, url: URL): { cookie: Cookie; removes: boolean } {
  const [pair = "", ...attributes] = line.split(";");
  const split = pair.indexOf("=");
  const found = new Map(
    attributes.map((attribute) => {
      const [name = "", ...value] = attribute.trim().split("=");
      return [name.toLowerCase(), value.join("=")] as const;
    }),
  );
  const path = found.get("path") ?? "";
  const maxAge = found.get("max-age");
  const expires = found.get("expires");
  const past =
    maxAge === undefined
      ? expires !== undefined && new Date(expires).getUTCFullYear() <= 1970
      : Number(maxAge) <= 0;
  return {
    cookie: {
      name: pair.slice(0, split).trim(),
      value: pair.slice(split + 1).trim(),
      host: url.hostname,
      path: path.startsWith("/") ? path : url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf("/"))),
    },
    removes: past,
  };
}

function covers(path: string, requested: string): boolean {
  if (requested === path) return true;
  return requested.startsWith(path) && (path.endsWith("/") || requested.charAt(path.length) === "/");
}

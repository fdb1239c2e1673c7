/** The cookies of a stand-in. Every stand-in has names of its own: on localhost all ports share one jar. */
export interface Cookies {
  /** The single sign-on session. */
  readonly session: string;
  /** Ties a page that waits for a choice to its browser. */
  readonly browser: string;
}

/** Names by stand-in. */
export function cookieNames(provider: string): Cookies {
  return { session: `standin_${provider}_session`, browser: `standin_${provider}_browser` };
}

/** Reads one cookie; undefined when it is not there. */
export function readCookie(request: Request, name: string): string | undefined {
  for (const part of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, ...rest] = part.trim().split("=");
    if (key === name) return rest.join("=");
  }
  return undefined;
}

/**
 * Writes a cookie for the browser's session. SameSite=Lax lets the client's redirect bring it; there is no `Secure`
 * where the stand-in is reached by plain HTTP on the loopback interface, because some browsers would drop it.
 */
export function writeCookie(name: string, value: string, o: { secure: boolean; path: string }): string {
  return `${name}=${value}; Path=${o.path}; HttpOnly; SameSite=Lax${o.secure ? "; Secure" : ""}`;
}

/** Ends a cookie. */
export function endCookie(name: string, path: string): string {
  return `${name}=; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=0`;
}

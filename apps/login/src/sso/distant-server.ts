import { problem } from "@portvakt/runtime/http";
import type { Visit } from "../visit.ts";

/** The server of a single sign-on, as its proxies know it. */
export interface DistantServer {
  /** An address below its `/oauth2`. */
  address(path: string): URL;
  /** Passes a request of a browser's on with the cookie of this name and no other, and gives the answer back, with that cookie at most. */
  relay(visit: Visit, cookieName: string): Promise<Response>;
  /** Has the server refresh a session's tokens. Gives its status. Throws when it does not answer. */
  refresh(cookie: string): Promise<number>;
}

interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
}

/** Longer than the server itself may take over a refresh. */
const answerSeconds = 25;
const maxBytes = 65_536;
/** What of an answer is for the browser. */
const passedOn = ["content-type", "content-security-policy", "retry-after"];

/** Knows the server at `url`. */
export function distantServer(url: string, tools: { readonly fetch: typeof fetch }): DistantServer {
  const address = (path: string): URL => new URL(`${url.replace(/\/+$/u, "")}/oauth2${path}`);
  const ask = (to: URL, request: Asked): Promise<Response> => {
    // Who sent a request has been judged here, where the browser's own words about it arrive.
    const headers = new Headers({ "sec-fetch-site": "same-origin" });
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, value);
    const { method, body = null } = request;
    const signal = AbortSignal.timeout(answerSeconds * 1000);
    return tools.fetch(to, { method, body, headers, redirect: "manual", signal });
  };
  return {
    address,
    async refresh(cookie) {
      const response = await ask(address("/session/refresh"), { method: "POST", headers: { cookie } });
      await response.body?.cancel();
      return response.status;
    },
    async relay(visit, cookieName) {
      const value = visit.cookies.get(cookieName);
      const cookie = value === undefined ? undefined : `${cookieName}=${value}`;
      const to = address(visit.path);
      to.search = visit.query;
      const headers = {
        cookie,
        "x-request-id": visit.correlationId,
        "content-type": visit.headers["content-type"],
      };
      try {
        const body = visit.method === "POST" ? await visit.body(maxBytes) : undefined;
        const answer = await ask(to, { method: visit.method, headers, body });
        return await passOn(answer, cookieName);
      } catch (cause) {
        if (cause instanceof RangeError) return problem(413, { title: "Too large" });
        const details = { title: "The sign-in server does not answer", correlation_id: visit.correlationId };
        return problem(503, details, { "retry-after": "2" });
      }
    },
  };
}

async function passOn(answer: Response, cookieName: string): Promise<Response> {
  const body = answer.status === 204 ? null : await answer.arrayBuffer();
  const response = new Response(body, { status: answer.status });
  for (const name of passedOn) {
    const value = answer.headers.get(name);
    if (value !== null) response.headers.set(name, value);
  }
  for (const line of answer.headers.getSetCookie())
    if (line.startsWith(`${cookieName}=`)) response.headers.append("set-cookie", line);
  return response;
}

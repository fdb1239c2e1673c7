/**
 * `requireToken` for handlers that take a `Request` and return a `Response`: Next.js route handlers, Bun, Deno, edge
 * runtimes.
 */
import type { Caller } from "../caller.ts";
import { judgeRequest } from "./judge.ts";
import type { JudgedRequest, RefusalAnswer, RequireOptions } from "./judge.ts";

type Answer = Response | Promise<Response>;

/**
 * Wraps a handler: it only runs for a caller that satisfies `options`, and is given that caller as its second argument;
 * whatever the framework passes after the request follows. Refusals are answered by RFC 6750 and RFC 9470.
 */
export function requireToken(
  options: RequireOptions = {},
): <Rest extends readonly unknown[]>(
  handler: (request: Request, caller: Caller, ...rest: Rest) => Answer,
) => (request: Request, ...rest: Rest) => Promise<Response> {
  return (handler) =>
    async (request, ...rest) => {
      const judged = await judgeRequest(judgedPartOf(request), options);
      return judged.ok ? handler(request, judged.caller, ...rest) : responseOf(judged.answer);
    };
}

/** What of a fetch request is judged. */
export function judgedPartOf(request: Request): JudgedRequest {
  const { headers, method, url } = request;
  const { pathname } = new URL(url);
  return {
    authorization: headers.get("authorization") ?? undefined,
    ...{ dpop: headers.get("dpop") ?? undefined, method, path: pathname },
  };
}

/** A refusal as a `Response`. */
export function responseOf(answer: RefusalAnswer): Response {
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

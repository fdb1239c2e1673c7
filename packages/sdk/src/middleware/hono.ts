/** `requireToken` for Hono. The shapes below are the part of Hono's context that is used, so that Hono is no dependency. */
import type { Caller } from "../caller.ts";
import { judgedPartOf, responseOf } from "./fetch.ts";
import { judgeRequest } from "./judge.ts";
import type { RequireOptions } from "./judge.ts";

interface HonoContext {
  readonly req: { readonly raw: Request };
  set(name: "caller", value: Caller): void;
}

/** The variables that the middleware sets: `new Hono<{ Variables: TokenVariables }>()`. */
export interface TokenVariables {
  caller: Caller;
}

/**
 * Hono middleware: the routes behind it only see callers that satisfy `options`, as `c.get("caller")`.
 * Refusals are answered by RFC 6750 and RFC 9470.
 */
export function requireToken(
  options: RequireOptions = {},
): (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (context, next) => {
    const judged = await judgeRequest(judgedPartOf(context.req.raw), options);
    if (!judged.ok) return responseOf(judged.answer);
    context.set("caller", judged.caller);
    await next();
    return undefined;
  };
}

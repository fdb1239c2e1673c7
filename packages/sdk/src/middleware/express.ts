/** `requireToken` for Express, Connect, Polka and all that call `(request, response, next)`. */
import type { Caller } from "../caller.ts";
import { judgeRequest } from "./judge.ts";
import type { RequireOptions } from "./judge.ts";
import { judgedPartOf, callers, send } from "./node.ts";
import type { NodeRequest, NodeResponse } from "./node.ts";

/**
 * Middleware: what comes after it only sees callers that satisfy `options`; `callerOf(request)` says who it is.
 * Refusals are answered by RFC 6750 and RFC 9470.
 */
export function requireToken(
  options: RequireOptions = {},
): (request: NodeRequest, response: NodeResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (request, response, next) => {
    const judged = await judgeRequest(judgedPartOf(request), options);
    if (!judged.ok) {
      send(response, judged.answer);
      return;
    }
    callers.set(request, judged.caller);
    next();
  };
}

/** Who called. Throws where no `requireToken` ran before, which is a mistake in the order of the routes. */
export function callerOf(request: NodeRequest): Caller {
  return callers.get(request);
}

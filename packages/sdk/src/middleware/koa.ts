/** `requireToken` for Koa. Koa's types are met by their shape. */
import type { Caller } from "../caller.ts";
import { judgeRequest } from "./judge.ts";
import type { RequireOptions } from "./judge.ts";
import { judgedPartOf, callers } from "./node.ts";
import type { NodeRequest } from "./node.ts";

interface KoaContext {
  readonly req: NodeRequest;
  /** `req.url`, before anything was mounted. */
  readonly originalUrl: string;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

/**
 * Middleware: what comes after it only sees callers that satisfy `options`; `callerOf(ctx)` says who it is.
 * Refusals are answered by RFC 6750 and RFC 9470.
 */
export function requireToken(
  options: RequireOptions = {},
): (context: KoaContext, next: () => Promise<unknown>) => Promise<void> {
  return async (context, next) => {
    const judged = await judgeRequest({ ...judgedPartOf(context.req), path: context.originalUrl }, options);
    if (judged.ok) {
      callers.set(context.req, judged.caller);
      await next();
      return;
    }
    context.status = judged.answer.status;
    context.set({ ...judged.answer.headers });
    context.body = judged.answer.body;
  };
}

/** Who called. Throws where no `requireToken` ran before, which is a mistake in the order of the middleware. */
export function callerOf(context: Pick<KoaContext, "req">): Caller {
  return callers.get(context.req);
}

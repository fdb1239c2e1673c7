/** `requireToken` for Fastify, as an `onRequest` or `preHandler` hook. Fastify's types are met by their shape. */
import type { Caller } from "../caller.ts";
import { judgeRequest } from "./judge.ts";
import type { RequireOptions } from "./judge.ts";
import { judgedPartOf, callers } from "./node.ts";
import type { NodeRequest } from "./node.ts";

interface FastifyRequest {
  readonly raw: NodeRequest;
}

interface FastifyReply {
  code(status: number): FastifyReply;
  headers(headers: Record<string, string>): FastifyReply;
  send(body: string): FastifyReply;
}

/**
 * A hook: the handler behind it only sees callers that satisfy `options`; `callerOf(request)` says who it is.
 * Refusals are answered by RFC 6750 and RFC 9470.
 */
export function requireToken(
  options: RequireOptions = {},
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const judged = await judgeRequest(judgedPartOf(request.raw), options);
    if (judged.ok) {
      callers.set(request.raw, judged.caller);
      return undefined;
    }
    const { status, headers, body } = judged.answer;
    // An async hook that answers must hand back the reply, or Fastify may go on to the handler.
    return reply
      .code(status)
      .headers({ ...headers })
      .send(body);
  };
}

/** Who called. Throws where no `requireToken` ran before, which is a mistake in the order of the hooks. */
export function callerOf(request: FastifyRequest): Caller {
  return callers.get(request.raw);
}

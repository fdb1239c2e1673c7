/**
 * `requireToken` for plain `node:http`. The shapes below are the part of its types that is used, so that the SDK loads
 * where there is no Node.js.
 */
import type { Caller } from "../caller.ts";
import { judgeRequest } from "./judge.ts";
import type { JudgedRequest, RefusalAnswer, RequireOptions } from "./judge.ts";

export interface NodeRequest {
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Where a framework keeps the address that `url` had before its routers cut from it. */
  readonly originalUrl?: string | undefined;
  /** Each header's values apart: `headers` keeps only the first `Authorization` of several. */
  readonly headersDistinct?: { readonly [name: string]: string[] | undefined };
}

export interface NodeResponse {
  readonly headersSent?: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

/**
 * Wraps a `node:http` listener: it only runs for a caller that satisfies `options`, and is given that caller as its third
 * argument. Refusals are answered by RFC 6750 and RFC 9470. What the listener throws rejects the promise, as an async listener's
 * own would; nothing else does.
 */
export function requireToken(
  options: RequireOptions = {},
): <Req extends NodeRequest, Res extends NodeResponse>(
  listener: (request: Req, response: Res, caller: Caller) => unknown,
) => (request: Req, response: Res) => Promise<void> {
  return (listener) => async (request, response) => {
    const result = await judgeRequest(judgedPartOf(request), options);
    if (result.ok) await listener(request, response, result.caller);
    else send(response, result.answer);
  };
}

/** What of a Node.js request is judged. */
export function judgedPartOf(request: NodeRequest): JudgedRequest {
  const { method, url, originalUrl = url } = request;
  return {
    authorization: headerOf(request, "authorization"),
    ...{ dpop: headerOf(request, "dpop"), method, path: originalUrl },
  };
}

/** A header; several come with commas between, which no token can hold. */
function headerOf(request: NodeRequest, name: string): string | undefined {
  const value = request.headersDistinct?.[name] ?? request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Sends a refusal, unless somebody has answered meanwhile: a time limit of the application's, say. */
export function send(response: NodeResponse, answer: RefusalAnswer): void {
  if (response.headersSent === true) return;
  response.writeHead(answer.status, { ...answer.headers });
  response.end(answer.body);
}

const judged = new WeakMap<NodeRequest, Caller>();

/** The callers of requests that were judged, for frameworks whose handlers are not handed one. */
export const callers = {
  set: (request: NodeRequest, caller: Caller): void => void judged.set(request, caller),
  get: (request: NodeRequest): Caller => {
    const caller = judged.get(request);
    if (caller === undefined) throw new Error("no requireToken() has judged this request");
    return caller;
  },
};

import type { IncomingHttpHeaders } from "node:http";
import { errorAnswer, json, type Answer } from "./answers.ts";
import type { CallerCheck } from "./callers.ts";

/** A request, read whole. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** At once where everything is at hand: the usual request needs no turn of the event loop. */
export type Awaitable<T> = T | Promise<T>;

/** An endpoint: from content type and body to an answer. */
export type Endpoint = (contentType: string, body: string) => Awaitable<Answer>;

/** The app: every request in, every answer out. Never throws, never rejects. */
export type App = (call: Call) => Awaitable<Answer>;

export interface AppOptions {
  readonly mayCall: CallerCheck;
  /** The route table: `POST /path` to endpoint. */
  readonly routes: Readonly<Record<string, Endpoint>>;
  /** Called for every answer; `path` is one of the routes', or `other`. */
  readonly observe: (path: string, answer: Answer) => void;
  /** Called with what nobody expected. */
  readonly unexpected: (error: unknown, call: Call) => void;
}

/** Makes the app of its route table. */
export function createApp({ mayCall, routes, observe, unexpected }: AppOptions): App {
  const table = byPath(routes);
  const route = (call: Call): Awaitable<Answer> => {
    const methods = table.get(call.path);
    if (methods === undefined) return nowhere;
    return methods.get(call.method)?.(call.headers["content-type"] ?? "", call.body) ?? otherMethod;
  };
  const serve = (call: Call): Awaitable<Answer> => {
    const turnedAway = mayCall(call.headers);
    if (turnedAway instanceof Promise) return turnedAway.then((refusal) => refusal ?? route(call));
    return turnedAway ?? route(call);
  };
  const failed = (error: unknown, call: Call): Answer => {
    const answer = errorAnswer(error);
    if (answer.status === 500) unexpected(error, call);
    return answer;
  };
  const observed = (call: Call, answer: Answer): Answer => {
    observe(table.has(call.path) ? call.path : "other", answer);
    return answer;
  };
  return (call) => {
    try {
      const answer = serve(call);
      if (!(answer instanceof Promise)) return observed(call, answer);
      return answer.then(
        (settled) => observed(call, settled),
        (error: unknown) => observed(call, failed(error, call)),
      );
    } catch (error) {
      return observed(call, failed(error, call));
    }
  };
}

/** The routes by path, then by method. */
function byPath(routes: AppOptions["routes"]): ReadonlyMap<string, ReadonlyMap<string, Endpoint>> {
  const table = new Map<string, Map<string, Endpoint>>();
  for (const [route, endpoint] of Object.entries(routes)) {
    const [method = "", path = ""] = route.split(" ");
    table.set(path, (table.get(path) ?? new Map<string, Endpoint>()).set(method, endpoint));
  }
  return table;
}

const nowhere = json(404, { error: "invalid_request", error_description: "there is no such endpoint" });
const otherMethod = json(405, {
  error: "invalid_request",
  error_description: "this endpoint takes another method",
});

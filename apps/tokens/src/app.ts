import type { IncomingHttpHeaders } from "node:http";
import { correlationId } from "@portvakt/runtime/observe";
import { errorAnswer, json, underId, type Answer } from "./answers.ts";
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
}

/** Makes the app of its route table. */
export function createApp({ mayCall, routes, observe }: AppOptions): App {
  const table = byPath(routes);
  const route = (call: Call): Awaitable<Answer> => {
    const methods = table.get(call.path);
    if (methods === undefined) return nowhere;
    return methods.get(call.method)?.(call.headers["content-type"] ?? "", call.body) ?? otherMethod(methods);
  };
  const serve = (call: Call): Awaitable<Answer> => {
    const turnedAway = mayCall(call.headers);
    if (turnedAway instanceof Promise) return turnedAway.then((refusal) => refusal ?? route(call));
    return turnedAway ?? route(call);
  };
  const observed = (call: Call, answer: Answer): Answer => {
    const told = answer.cause === undefined ? answer : underId(answer, idOf(call));
    observe(table.has(call.path) ? call.path : "other", told);
    return told;
  };
  return (call) => {
    try {
      const answer = serve(call);
      if (!(answer instanceof Promise)) return observed(call, answer);
      return answer.then(
        (settled) => observed(call, settled),
        (error: unknown) => observed(call, errorAnswer(error)),
      );
    } catch (error) {
      return observed(call, errorAnswer(error));
    }
  };
}

/** The routes by path, then by method. What can be got has a head too (RFC 9110 section 9.3.2); the listener leaves its body out. */
function byPath(routes: AppOptions["routes"]): ReadonlyMap<string, ReadonlyMap<string, Endpoint>> {
  const table = new Map<string, Map<string, Endpoint>>();
  for (const [route, endpoint] of Object.entries(routes)) {
    const [method = "", path = ""] = route.split(" ");
    const methods = table.get(path) ?? new Map<string, Endpoint>();
    table.set(path, methods.set(method, endpoint));
    if (method === "GET") methods.set("HEAD", endpoint);
  }
  return table;
}

const nowhere = json(404, { error: "invalid_request", error_description: "there is no such endpoint" });

/** RFC 9110 section 15.5.6: the answer says which methods there are. */
function otherMethod(methods: ReadonlyMap<string, Endpoint>): Answer {
  const body = { error: "invalid_request", error_description: "this endpoint takes another method" };
  return json(405, body, { allow: [...methods.keys()].join(", ") });
}

/** The id that the caller gave its request, else a new one. */
function idOf({ headers }: Call): string {
  const given = ["x-request-id", "x-correlation-id"].flatMap((name): [string, string][] => {
    const value = headers[name];
    return typeof value === "string" ? [[name, value]] : [];
  });
  return correlationId(new Headers(given));
}

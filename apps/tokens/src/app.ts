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

/** An endpoint: from content type and body to an answer. */
export type Endpoint = (contentType: string, body: string) => Promise<Answer>;

/** The app: every request in, every answer out. Never rejects. */
export type App = (call: Call) => Promise<Answer>;

export interface AppOptions {
  readonly mayCall: CallerCheck;
  /** The route table: `POST /path` to endpoint. */
  readonly routes: Readonly<Record<string, Endpoint>>;
  /** Called for every answer of a route. */
  readonly observe: (call: Call, answer: Answer) => void;
  /** Called with what nobody expected. */
  readonly unexpected: (error: unknown, call: Call) => void;
}

/** Makes the app of its route table. */
export function createApp({ mayCall, routes, observe, unexpected }: AppOptions): App {
  const paths = new Set(Object.keys(routes).map((route) => route.slice(route.indexOf(" ") + 1)));
  const table = new Map(Object.entries(routes));
  const serve = async (call: Call): Promise<Answer> => {
    const turnedAway = mayCall(call.headers);
    const refusal = turnedAway instanceof Promise ? await turnedAway : turnedAway;
    if (refusal !== undefined) return refusal;
    const endpoint = table.get(`${call.method} ${call.path}`);
    if (endpoint === undefined) return nowhere(call, paths);
    return endpoint(call.headers["content-type"] ?? "", call.body);
  };
  return async (call) => {
    const answer = await serve(call).catch((error: unknown) => {
      const converted = errorAnswer(error);
      if (converted.status === 500) unexpected(error, call);
      return converted;
    });
    observe(call, answer);
    return answer;
  };
}

function nowhere({ path }: Call, paths: ReadonlySet<string>): Answer {
  return paths.has(path)
    ? json(405, { error: "invalid_request", error_description: "this endpoint takes another method" })
    : json(404, { error: "invalid_request", error_description: "there is no such endpoint" });
}

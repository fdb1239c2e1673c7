import { setTimeout as delay } from "node:timers/promises";
import { Hono } from "hono";
import { parseForm, peekJwt, ProtocolError, type Clock, type FormParams } from "@portvakt/oauth";
import { readBounded } from "@portvakt/issuer";
import { nameRequest } from "@portvakt/runtime/observe";
import type { Arrival, Endpoint, Fault, Faults, ProviderName } from "./faults/faults.ts";
import type { Report } from "./report.ts";
import { maskedParameters, type Recorder } from "./faults/recorder.ts";

/** A request on its way in a stand-in: parsed once, with what the route and the headers say about it. */
export interface Visit {
  readonly request: Request;
  /** Query of a GET, form of a POST. */
  readonly params: FormParams;
  /** Parts of the path that the route names. */
  readonly path: Readonly<Record<string, string>>;
  /** The value of `x-standin-test`. */
  readonly test: string | undefined;
}

/** One row of a stand-in's route table. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly handle: (visit: Visit) => Response | Promise<Response>;
}

type Handle = Route["handle"];

/** A row for GET. */
export function get(path: string, endpoint: Endpoint, handle: Handle): Route {
  return { method: "GET", path, endpoint, handle };
}

/** A row for POST. */
export function post(path: string, endpoint: Endpoint, handle: Handle): Route {
  return { method: "POST", path, endpoint, handle };
}

export interface AppOptions {
  readonly provider: ProviderName;
  readonly routes: readonly Route[];
  readonly faults: Faults;
  readonly recorder: Recorder;
  readonly now: Clock;
  /** Ends every hanging answer. */
  readonly closing: AbortSignal;
  /** Writes what a handler threw. */
  readonly writeError: (error: ProtocolError, visit: Visit | undefined) => Response | Promise<Response>;
  readonly report: Report;
  /** Endpoints that pages of other origins may call, beside metadata and keys. */
  readonly openToPages?: readonly Endpoint[];
}

const maxBodyBytes = 65_536;

/** Makes the fetch handler of a stand-in: route table -> parse once -> ordered fault? -> handler -> record. */
export function standinApp(options: AppOptions): (request: Request) => Promise<Response> {
  const app = new Hono();
  const open = new Set<Endpoint>(["metadata", "jwks", ...(options.openToPages ?? [])]);
  for (const route of options.routes) {
    app.on(route.method, route.path, async (context) => {
      const response = await arrive(context.req.raw, context.req.param(), route, options);
      return open.has(route.endpoint) ? forPages(response) : response;
    });
  }
  for (const [path, routes] of Map.groupBy(options.routes, (route) => route.path)) {
    const allow = routes.map((route) => route.method).join(", ");
    const preflight = open.has(routes[0]?.endpoint ?? "other");
    app.on("OPTIONS", path, () => (preflight ? answerPreflight(allow) : wrongMethod(allow)));
    app.all(path, () => wrongMethod(allow));
  }
  app.notFound(() => Response.json({ error: "not_found" }, { status: 404 }));
  return async (request) => app.fetch(request);
}

/** RFC 9110 section 15.5.6. */
function wrongMethod(allow: string): Response {
  return Response.json({ error: "method_not_allowed" }, { status: 405, headers: { allow } });
}

/** No credentials are allowed along: what these endpoints ask for, the page must know itself. */
function forPages(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set("access-control-allow-origin", "*");
  headers.set("access-control-expose-headers", "www-authenticate, retry-after, dpop-nonce");
  return new Response(response.body, { status: response.status, headers });
}

function answerPreflight(allow: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      allow,
      "access-control-allow-origin": "*",
      "access-control-allow-methods": allow,
      "access-control-allow-headers": "authorization, content-type, dpop, x-standin-test",
      "access-control-max-age": "600",
    },
  });
}

async function arrive(
  raw: Request,
  path: Record<string, string>,
  route: Route,
  options: AppOptions,
): Promise<Response> {
  nameRequest(route.method, route.path);
  const start = performance.now();
  const at = options.now();
  let visit: Visit | undefined;
  let arrival = arrivalOf(undefined, raw, route, options.provider);
  let response: Response;
  try {
    const met = await readVisit(raw, path, route.endpoint);
    visit = met;
    arrival = arrivalOf(met.params, raw, route, options.provider);
    const fault = options.faults.meet(arrival);
    response = await (fault === undefined
      ? route.handle(met)
      : fail(fault, options.closing, () => route.handle(met)));
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) options.report.failed("a request failed", thrown);
    response = await options.writeError(toProtocolError(thrown), visit);
  }
  options.report.answered(options.provider, route.endpoint, response.status);
  options.recorder.add({
    ...arrival,
    at,
    method: raw.method,
    path: new URL(raw.url).pathname,
    parameters: visit === undefined ? {} : maskedParameters(visit.params),
    status: response.status,
    milliseconds: Math.round((performance.now() - start) * 10) / 10,
  });
  return response;
}

async function readVisit(raw: Request, path: Record<string, string>, endpoint: Endpoint): Promise<Visit> {
  const test = raw.headers.get("x-standin-test") ?? undefined;
  const parse = (form: URLSearchParams): FormParams =>
    // The authorization endpoint tells the client at its redirect URI, where it can (RFC 6749 section 4.1.2.1).
    parseForm(form, { repeatable: endpoint === "authorize" ? [...form.keys()] : repeatable });
  if (raw.method === "GET" || raw.method === "HEAD")
    return { request: raw, params: parse(new URL(raw.url).searchParams), path, test };
  const body = await readBounded(raw, maxBodyBytes);
  // Handlers that read the body themselves (the token pipeline) get it once more.
  const request = new Request(raw.url, { method: raw.method, headers: raw.headers, body });
  const form = raw.headers.get("content-type")?.toLowerCase().startsWith("application/x-www-form-urlencoded");
  return { request, params: parse(new URLSearchParams(form === true ? body : "")), path, test };
}

/** RFC 8707 section 2: the one parameter that may be sent several times. */
const repeatable = ["resource"];

function arrivalOf(
  params: FormParams | undefined,
  raw: Request,
  route: Route,
  provider: ProviderName,
): Arrival {
  return {
    provider,
    endpoint: route.endpoint,
    clientId: params === undefined ? undefined : claimedClient(params, raw.headers),
    grantType: params?.one("grant_type"),
    test: raw.headers.get("x-standin-test") ?? undefined,
  };
}

/** Who the request says that it comes from; only for choosing faults and for the record. */
function claimedClient(params: FormParams, headers: Headers): string | undefined {
  const basic = /^basic +(\S+)/i.exec(headers.get("authorization") ?? "")?.[1];
  if (basic !== undefined) return formDecoded(Buffer.from(basic, "base64").toString().split(":")[0] ?? "");
  const asserted = params.one("client_assertion") ?? params.one("assertion");
  const issuer = asserted === undefined ? undefined : peekJwt(asserted)?.claims.iss;
  return params.one("client_id") ?? issuer;
}

/** Undefined for what cannot be decoded: the token pipeline refuses that, not this. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

async function fail(
  fault: Fault,
  closing: AbortSignal,
  handle: () => Response | Promise<Response>,
): Promise<Response> {
  switch (fault.effect) {
    case "slow":
      await delay(fault.delay_ms, undefined, { signal: closing }).catch(() => undefined);
      return handle();
    case "hang":
      await new Promise<void>((resolve) => {
        if (closing.aborted) resolve();
        closing.addEventListener("abort", () => resolve(), { once: true });
      });
      return new Response(null, { status: 503 });
    case "drop":
      return new Response(new ReadableStream({ start: (controller) => controller.error(dropped()) }));
    case "rate_limit":
      return Response.json(
        { error: fault.error ?? "temporarily_unavailable", error_description: "too many requests" },
        {
          status: 429,
          headers: { "retry-after": String(fault.retry_after_seconds), "cache-control": "no-store" },
        },
      );
    case "down":
      return new Response("<html><body>503 Service Unavailable</body></html>", {
        status: 503,
        headers: { "content-type": "text/html" },
      });
    default:
      return Response.json(
        {
          error: fault.error ?? "temporarily_unavailable",
          error_description: fault.error_description ?? "a fault that was ordered",
        },
        { status: fault.status ?? 400, headers: { "cache-control": "no-store" } },
      );
  }
}

/** Breaks a body before its first byte: the server has nothing left to do but to cut the connection, and to print this. */
function dropped(): Error {
  const error = new Error("a connection was dropped, as ordered");
  error.stack = error.message;
  return error;
}

/** Nothing of an unexpected throw reaches the wire. */
function toProtocolError(thrown: unknown): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown;
  return new ProtocolError("server_error", "the request could not be served", { status: 500, cause: thrown });
}

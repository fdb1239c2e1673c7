// Spans by OpenTelemetry's API: requests that come, requests that go, work in between. Loaded only when traces are on.
import type { RequestListener } from "node:http";
import { context, ROOT_CONTEXT, SpanKind as Kind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Attributes, Context, Span, SpanOptions, TextMapPropagator, Tracer } from "@opentelemetry/api";
import { scrub } from "./redact.ts";
import type { RequestTraces, SpanAttribute, SpanKind, SpanNotes, TracedCall, Tracing } from "./traces.ts";

/** RFC 9110's methods; whatever else a client makes up is one name, or it would be a new name for each. */
const methods: ReadonlySet<string> = new Set([
  "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
]); // prettier-ignore

/** A value that slipped in: eleven digits are how a person is numbered. */
const person = /\b\d{11}\b/g;
const maxValue = 200;
const ours = (values: Readonly<Partial<Record<SpanAttribute, string | undefined>>>): Attributes =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [[`portvakt.${name}`, scrub(value.slice(0, maxValue)).replace(person, "[person]")]],
    ),
  );

/** The form of every code in our tables and of Node's: no text that somebody else wrote. */
const codeForm = /^(?:[a-z][a-z0-9_]{1,40}|[A-Z][A-Z0-9_]{1,40})$/;

/** An error's code: `error` of protocol errors, `code` of faults, its cause's, or else its kind. Never its message. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "thrown";
  for (const one of [error, error.cause]) {
    if (!(one instanceof Error)) continue;
    for (const name of ["error", "code"] as const) {
      const code: unknown = Reflect.get(one, name);
      if (typeof code === "string" && codeForm.test(code)) return code;
    }
  }
  return error.name;
}

function fail(span: Span, error: unknown): void {
  span.setAttribute("error.type", codeOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Runs the work as the active span, and ends the span when the work has ended, promise or not. */
function within<T>(span: Span, parent: Context, work: () => T): T {
  try {
    const result = context.with(trace.setSpan(parent, span), work);
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    return result
      .catch((error: unknown) => {
        fail(span, error);
        throw error;
      })
      .finally(() => span.end()) as T;
  } catch (error) {
    fail(span, error);
    span.end();
    throw error;
  }
}

/** Whether a path fits a template: `:name` is one segment, a `*` at the end is any rest. */
function fits(template: readonly string[], path: readonly string[]): boolean {
  const open = template.at(-1) === "*";
  if (open ? path.length < template.length - 1 : path.length !== template.length) return false;
  return template.every(
    (part, index) => part === path[index] || part.startsWith(":") || (part === "*" && open),
  );
}

/** Gives a path's template. The list may grow: some servers know their routes only once they listen. */
function routeFinder(routes: readonly string[]): (path: string) => string | undefined {
  const split = new Map<string, readonly string[]>();
  const partsOf = (route: string): readonly string[] => {
    const parts = split.get(route) ?? route.split("/");
    split.set(route, parts);
    return parts;
  };
  return (path) => {
    const parts = path.split("/");
    return routes.find((route) => fits(partsOf(route), parts));
  };
}

const statusOf = (span: Span, status: number, errorFrom: number): void => {
  span.setAttribute("http.response.status_code", status);
  if (status < errorFrom) return;
  span.setAttribute("error.type", String(status));
  span.setStatus({ code: SpanStatusCode.ERROR });
};

/** Node joins headers that are repeated, and a joined `traceparent` is none: as Trace Context section 4.2 wants it. */
const fromHeaders = {
  keys: (headers: NodeJS.Dict<string | string[]>) => Object.keys(headers),
  get: (headers: NodeJS.Dict<string | string[]>, name: string) => headers[name],
};

function serveTraced(
  tracer: Tracer,
  propagator: TextMapPropagator,
  inner: RequestListener,
  requests: RequestTraces,
): RequestListener {
  const routeOf = routeFinder(requests.routes);
  const unheard = new Set(requests.silent);
  return (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (unheard.has(path)) return inner(request, response);
    const method = methods.has(request.method ?? "") ? String(request.method) : "_OTHER";
    const route = routeOf(path);
    const heard = propagator.extract(ROOT_CONTEXT, request.headers, fromHeaders);
    const isTrusted = requests.trusts?.(request.socket.remoteAddress) ?? true;
    const theirs = isTrusted ? undefined : trace.getSpanContext(heard);
    const parent = isTrusted ? heard : ROOT_CONTEXT;
    const options: SpanOptions = {
      kind: Kind.SERVER,
      attributes: {
        "http.request.method": method,
        "url.scheme": "encrypted" in request.socket ? "https" : "http",
        "network.protocol.version": request.httpVersion,
        ...(route === undefined ? {} : { "http.route": route }),
      },
      ...(theirs === undefined ? {} : { links: [{ context: theirs }] }),
    };
    const named = method === "_OTHER" ? "HTTP" : method;
    const span = tracer.startSpan(route === undefined ? named : `${named} ${route}`, options, parent);
    response.once("close", () => {
      if (response.headersSent) statusOf(span, response.statusCode, 500);
      span.end();
    });
    const own = trace.setSpan(parent, span);
    // A body's events come from the parser, which knows nothing of this context.
    context.bind(own, request);
    context.bind(own, response);
    context.with(own, inner, undefined, request, response);
  };
}

function startClient(tracer: Tracer, name: string, method: string, url: URL): Span {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const attributes = {
    "http.request.method": method,
    "server.address": url.hostname,
    "server.port": port,
  };
  return tracer.startSpan(name, { kind: Kind.CLIENT, attributes });
}

function fetchTraced(tracer: Tracer, propagator: TextMapPropagator, inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? request?.method ?? "GET";
    const span = startClient(tracer, `${method} ${url.pathname}`, method, url);
    span.setAttribute("url.template", url.pathname);
    return await within(span, context.active(), async () => {
      const headers = new Headers(init?.headers ?? request?.headers);
      propagator.inject(context.active(), headers, { set: (to, name, value) => to.set(name, value) });
      const response = await inner(input, { ...init, headers });
      statusOf(span, response.status, 400);
      return response;
    });
  };
}

function callTraced(
  tracer: Tracer,
  propagator: TextMapPropagator,
  method: string,
  origin: string,
): TracedCall {
  const span = startClient(tracer, method, method, new URL(origin));
  const own = trace.setSpan(context.active(), span);
  return {
    headers(list) {
      const kept: string[] = [];
      for (let index = 0; index + 1 < list.length; index += 2) {
        const name = list[index] ?? "";
        if (!/^trace(?:parent|state)$/i.test(name)) kept.push(name, list[index + 1] ?? "");
      }
      propagator.inject(own, kept, { set: (to, name, value) => void to.push(name, value) });
      return kept;
    },
    end(answer) {
      if (typeof answer === "number") statusOf(span, answer, 400);
      else fail(span, answer);
      span.end();
    },
  };
}

function stored(tracer: Tracer, system: string, operation: string, tookMs: number, error: unknown): void {
  const now = performance.now();
  const attributes = { "db.system.name": system, "db.operation.name": operation };
  const span = tracer.startSpan(operation, { kind: Kind.CLIENT, attributes, startTime: now - tookMs });
  if (error !== undefined) fail(span, error);
  span.end(now);
}

/** Makes spans with a tracer of the SDK's, and passes them on as the propagator does. */
export function createTracing(tracer: Tracer, propagator: TextMapPropagator): Tracing {
  return {
    span: <A extends SpanAttribute, T>(kind: SpanKind, work: (span: SpanNotes<A>) => T): T => {
      const span = tracer.startSpan(kind.name);
      const notes: SpanNotes<A> = { note: (values) => void span.setAttributes(ours(values)) };
      return within(span, context.active(), () => work(notes));
    },
    note: (values) => void trace.getActiveSpan()?.setAttributes(ours(values)),
    name: (method, route) =>
      void trace.getActiveSpan()?.updateName(`${method} ${route}`).setAttribute("http.route", route),
    listener: (inner, requests) => serveTraced(tracer, propagator, inner, requests),
    fetch: (inner) => fetchTraced(tracer, propagator, inner),
    call: (method, origin) => callTraced(tracer, propagator, method, origin),
    stored: (system, operation, tookMs, error) => stored(tracer, system, operation, tookMs, error),
    ids: () => {
      const span = trace.getActiveSpan()?.spanContext();
      return span === undefined ? undefined : { trace_id: span.traceId, span_id: span.spanId };
    },
  };
}

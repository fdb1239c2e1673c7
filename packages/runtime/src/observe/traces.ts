// Where spans begin, for the whole process. Nothing here loads a library: without traces each call is one look at a variable.
import type { RequestListener } from "node:http";

/** One kind of span. An app keeps its kinds in a table; docs/observability.md is printed from it. */
export interface SpanKind {
  readonly name: string;
  /** What it covers, for the documentation. */
  readonly help: string;
  /** What it may say, each a row of `spanAttributes`. */
  readonly attributes: readonly SpanAttribute[];
}

/**
 * Everything that our spans say beside OpenTelemetry's own attributes of HTTP and databases; `portvakt.` stands before each name.
 * Values are names and codes of ours: no token, no cookie, no person, no text from outside.
 */
export const spanAttributes = {
  actor: "the application that calls, `cluster:namespace:name`",
  target: "the application or scope that a token is asked for",
  provider: "the provider that is asked, or whose token is looked at",
  grant: "the grant type",
  outcome: "how it ended, in one word",
  reason: "why it was decided so, by the name that docs/policy-decisions.md explains",
  decision: "the decision's id, as in the log and in answers",
  error: "the error code of the answer, by the name that docs/errors.md explains",
} as const;

export type SpanAttribute = keyof typeof spanAttributes;

/** The values of OTEL_TRACES_SAMPLER. */
export const traceSamplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;
export type TraceSampler = (typeof traceSamplers)[number];

/** A span under way. */
export interface SpanNotes<A extends SpanAttribute = SpanAttribute> {
  note(values: Readonly<Partial<Record<A, string | undefined>>>): void;
}

/** How requests of a listener are named. */
export interface RequestTraces {
  /** Route templates, such as `/clients/:id` or `/oauth2/*`. The first that fits names the span; the path itself is nowhere. */
  readonly routes: readonly string[];
  /** Paths that are asked all day and tell nothing: probes. */
  readonly silent?: readonly string[];
  /** Whose `traceparent` is continued. Of others' requests a trace of our own begins, with a link to theirs. Default: everybody's. */
  readonly trusts?: (address: string | undefined) => boolean;
}

/** A request of ours to another server, sent by other means than `fetch`. */
export interface TracedCall {
  /** The flat list of header names and values as it is to be sent: our `traceparent` in place of any other. */
  headers(list: readonly string[]): string[];
  /** Ends the span with the answer's status, or with why there was none. */
  end(answer: number | Error): void;
}

/** What a process with traces can do. Made by `startTraces`. */
export interface Tracing {
  span<A extends SpanAttribute, T>(kind: SpanKind, work: (span: SpanNotes<A>) => T): T;
  note(values: Readonly<Partial<Record<SpanAttribute, string | undefined>>>): void;
  name(method: string, route: string): void;
  listener(inner: RequestListener, requests: RequestTraces): RequestListener;
  fetch(inner: typeof fetch): typeof fetch;
  call(method: string, origin: string): TracedCall;
  /** A call to a database that has just ended. */
  stored(system: string, operation: string, tookMs: number, error?: unknown): void;
  /** The span under way, for log lines. */
  ids(): { readonly trace_id: string; readonly span_id: string } | undefined;
}

/** Traces that are on. */
export interface Traces {
  /** Sends what waits, for at most three seconds, and turns traces off. */
  close(): Promise<void>;
}

let current: Tracing | undefined;

/** Turns traces on for this process, or off. For `startTraces` alone. */
export function setTracing(tracing: Tracing | undefined): void {
  current = tracing;
}

/** The process's traces; undefined when there are none. Asked once, where something is wired, rather than for each request. */
export function tracing(): Tracing | undefined {
  return current;
}

const silent: SpanNotes = { note: () => undefined };

/** Does the work in a span of its own. What it throws ends the span with the error's code, and nothing of its message. */
export function traced<const K extends SpanKind, T>(
  kind: K,
  work: (span: SpanNotes<K["attributes"][number]>) => T,
): T {
  return current === undefined ? work(silent) : current.span(kind, work);
}

/** Says something of the request that is being served. */
export function noteOnRequest(values: Readonly<Partial<Record<SpanAttribute, string | undefined>>>): void {
  current?.note(values);
}

/** Names the request that is being served, where only its handler knows the template that fits. */
export function nameRequest(method: string, route: string): void {
  current?.name(method, route);
}

/** A `fetch` whose requests are spans and carry `traceparent`; the given one itself when there are no traces. For providers' endpoints: the path is part of the span's name. */
export function tracedFetch(inner: typeof fetch): typeof fetch {
  return current === undefined ? inner : current.fetch(inner);
}

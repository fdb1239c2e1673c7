/** The part of OpenTelemetry's API that is used. */
interface Span {
  setAttribute(key: string, value: string): unknown;
  setStatus(status: { readonly code: number; readonly message: string }): unknown;
  end(): void;
}

type Attributes = Readonly<Record<string, string>>;

interface Tracer {
  startActiveSpan<T>(name: string, options: { readonly attributes: Attributes }, work: (span: Span) => T): T;
}

interface Registry {
  readonly trace?: { getTracer(name: string): Tracer };
}

/** Where every copy of `@opentelemetry/api` 1.x in a process finds the same tracers; so this needs none of its own. */
const registry = Symbol.for("opentelemetry.js.api.1");
/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const errorStatus = 2;

/** What a span is told of a result. */
interface Outcome {
  readonly ok: boolean;
  readonly code?: string;
}

/**
 * Does the work in a span, where the application has OpenTelemetry set up; else just does it. A result that is not `ok` makes the
 * span one of an error, with the result's code. No token is ever an attribute.
 */
export function inSpan<T extends Outcome>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  learnt: (result: T) => Attributes = () => ({}),
): Promise<T> {
  const registered = (globalThis as { readonly [registry]?: Registry })[registry];
  const tracer = registered?.trace?.getTracer("@portvakt/sdk");
  if (tracer === undefined) return work();
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      const result = await work();
      for (const [key, value] of Object.entries(learnt(result))) span.setAttribute(key, value);
      if (!result.ok) span.setStatus({ code: errorStatus, message: result.code ?? "" });
      return result;
    } finally {
      span.end();
    }
  });
}

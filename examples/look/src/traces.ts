import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

/** What undici says of a request that is about to be sent. */
interface Outgoing {
  readonly request: { addHeader(name: string, value: string): void };
}

/**
 * Passes the trace of each request that comes in on to the requests that it causes, so that a chain of calls is one trace. An
 * application that has OpenTelemetry's instrumentation needs none of this.
 */
export function passOnTraces(): void {
  const traces = new AsyncLocalStorage<string | undefined>();
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { readonly request: IncomingMessage };
    traces.enterWith([request.headers["traceparent"]].flat()[0]);
  });
  subscribe("undici:request:create", (message) => {
    const traceparent = traces.getStore();
    if (traceparent !== undefined) (message as Outgoing).request.addHeader("traceparent", traceparent);
  });
}

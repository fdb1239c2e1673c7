import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Pool, type Dispatcher } from "undici";
import { downstreamHeaders } from "./headers.ts";

/** The application behind the proxy. */
export interface Upstream {
  /** Such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly pool: Pool;
}

const maxConnections = 4096;
const connectMilliseconds = 5000;
const firstByteMilliseconds = 300_000;

/** Opens the pool of connections to the application. Bodies may take any time: event streams and long downloads are normal. */
export function openUpstream(origin: string, tls?: { readonly ca: string | undefined }): Upstream {
  const connect = { timeout: connectMilliseconds, ...(tls?.ca === undefined ? {} : { ca: tls.ca }) };
  const pool = new Pool(origin, {
    connections: maxConnections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: 65_536,
    headersTimeout: firstByteMilliseconds,
    bodyTimeout: 0,
    connect,
  });
  return { origin, pool };
}

export interface ForwardOptions {
  readonly upstream: Upstream;
  readonly path: string;
  readonly headers: string[];
  readonly isOwnCookie: (name: string) => boolean;
  /** Called when the application could not be reached or broke off before it answered; nothing was sent yet. */
  readonly onUnreachable: (error: Error) => void;
  /** Called when the answer is one that may go on for ever. */
  readonly onEventStream: () => void;
}

/**
 * Sends a request on and streams the answer back: bodies both ways with back-pressure and in constant memory, 1xx, trailers.
 * A client that goes away aborts the request to the application.
 */
export function forward(request: IncomingMessage, response: ServerResponse, options: ForwardOptions): void {
  const exchange = new Exchange(request, response, options);
  exchange.start();
}

const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ForwardOptions;
  readonly #hasBody: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #written = false;
  #clientGone = false;
  #done = false;
  #retried = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: ForwardOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    const length = request.headers["content-length"];
    this.#hasBody =
      request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
    response.on("close", () => this.#onClose());
  }

  start(): void {
    const { upstream, path, headers } = this.#options;
    const method = this.#request.method ?? "GET";
    // Not the request itself: its destruction by an upstream failure would cut the connection that the 502 must travel on.
    const body = this.#hasBody ? this.#request.iterator({ destroyOnReturn: false }) : null;
    upstream.pool.dispatch(
      { path, method, headers, body: body as (Dispatcher.DispatchOptions["body"] & object) | null },
      this,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#clientGone) controller.abort(new Error("client gone"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    parsed: IncomingHttpHeaders,
    message?: string,
  ): void {
    const response = this.#response;
    const raw = controller.rawHeaders;
    const headers = Array.isArray(raw) ? downstreamHeaders(raw, this.#options.isOwnCookie) : [];
    if (status < 200) {
      if (status === 103 && parsed["link"] !== undefined) response.writeEarlyHints({ link: parsed["link"] });
      return;
    }
    if (isEventStream(parsed["content-type"])) this.#options.onEventStream();
    response.writeHead(status, message ?? "", headers);
    // The body's first bytes usually come in this very turn and share a packet with the headers; if not, headers go alone now.
    process.nextTick(() => {
      if (!this.#written && !this.#done && !response.destroyed) response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#written = true;
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(controller: Dispatcher.DispatchController, _trailers: IncomingHttpHeaders): void {
    this.#done = true;
    const raw = controller.rawTrailers;
    if (Array.isArray(raw) && raw.length > 0) this.#addTrailers(raw);
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#done) return;
    if (this.#clientGone) {
      this.#done = true;
      return;
    }
    if (this.#response.headersSent) {
      this.#done = true;
      // A cut answer must look cut: an orderly end would pass for the whole of it.
      this.#response.destroy();
      return;
    }
    if (this.#mayRetry(error)) {
      this.#retried = true;
      this.start();
      return;
    }
    this.#done = true;
    this.#options.onUnreachable(error);
  }

  /** A kept connection that the application closes just as we use it says nothing about the request. */
  #mayRetry(error: Error): boolean {
    const code = (error as { code?: unknown }).code;
    const stale = code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE";
    return stale && !this.#retried && !this.#hasBody && idempotent.has(this.#request.method ?? "");
  }

  #onClose(): void {
    if (this.#done) return;
    this.#clientGone = true;
    this.#controller?.abort(new Error("client gone"));
  }

  #addTrailers(raw: readonly (Buffer | string)[]): void {
    const pairs: [string, string][] = [];
    for (let index = 0; index + 1 < raw.length; index += 2)
      pairs.push([String(raw[index]), String(raw[index + 1])]);
    this.#response.addTrailers(pairs);
  }
}

function isEventStream(type: string | string[] | undefined): boolean {
  return typeof type === "string" && type.startsWith("text/event-stream");
}

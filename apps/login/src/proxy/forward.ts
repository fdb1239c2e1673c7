import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Pool, type Dispatcher } from "undici";
import { downstreamHeaders } from "./headers.ts";

/** The application behind the proxy. */
export interface Upstream {
  /** Such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly pool: Pool;
  /** Whose certificate the application must show; without TLS undefined. The request's Host is the browser's, so it cannot say. */
  readonly servername: string | undefined;
  readonly patience: Patience;
  close(): Promise<void>;
}

/** Ends what has waited too long for the application's first byte. */
interface Patience {
  /** Begins to wait; gives how to stop. */
  wait(waiting: { giveUp(): void }): void;
  stop(waiting: { giveUp(): void }): void;
}

const maxConnections = 4096;
const connectMilliseconds = 5000;
const sweepMilliseconds = 15_000;
/** How many sweeps an answer may take to begin: five minutes. */
const sweepsPatient = 20;

/** Opens the pool of connections to the application. Bodies may take any time: event streams and long downloads are normal. */
export function openUpstream(origin: string, tls?: { readonly ca: string | undefined }): Upstream {
  const connect = { timeout: connectMilliseconds, ...(tls?.ca === undefined ? {} : { ca: tls.ca }) };
  const pool = new Pool(origin, {
    connections: maxConnections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: 65_536,
    // A timer for every request costs more than reading its headers; patience is one timer for all of them.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect,
  });
  const patience = onePatience();
  return {
    origin,
    pool,
    servername: origin.startsWith("https:") ? new URL(origin).hostname : undefined,
    patience,
    close: async () => {
      patience.end();
      await pool.destroy();
    },
  };
}

function onePatience(): Patience & { end(): void } {
  const waiting = new Map<{ giveUp(): void }, number>();
  let sweeps = 0;
  const timer = setInterval(() => {
    sweeps += 1;
    for (const [one, since] of waiting) if (sweeps - since > sweepsPatient) one.giveUp();
  }, sweepMilliseconds);
  timer.unref();
  return {
    wait: (one) => void waiting.set(one, sweeps),
    stop: (one) => void waiting.delete(one),
    end: () => clearInterval(timer),
  };
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
  /** Where the browser is sent instead of this 401 of the application's; undefined to pass the answer on. */
  readonly insteadOf401: (challenge: string | undefined) => string | undefined;
}

/**
 * Sends a request on and streams the answer back: bodies both ways with back-pressure and in constant memory, 1xx, trailers.
 * A client that goes away aborts the request to the application.
 */
export function forward(request: IncomingMessage, response: ServerResponse, options: ForwardOptions): void {
  const exchange = new Exchange(request, response, options);
  exchange.start();
}

/** Up to this size a body that came whole is sent together with its headers. */
const oneWriteBytes = 16_384;

/**
 * A body's first bytes usually come in the same turn as its headers, and small bodies end in it: they then share a packet. What
 * has not come by the end of the turn does not hold the headers up.
 */
function flush(exchange: Exchange): void {
  exchange.flush();
}

const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ForwardOptions;
  readonly #hasBody: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #held: Buffer | undefined;
  #flushed = false;
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
    upstream.patience.wait(this);
    const order = {
      path,
      method,
      headers,
      body: body as (Dispatcher.DispatchOptions["body"] & object) | null,
    };
    upstream.pool.dispatch(
      upstream.servername === undefined ? order : Object.assign(order, { servername: upstream.servername }),
      this,
    );
  }

  /** The application has taken too long to begin its answer. */
  giveUp(): void {
    this.#controller?.abort(new Error("the application did not begin its answer in time"));
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
    this.#options.upstream.patience.stop(this);
    const raw = controller.rawHeaders;
    const headers = Array.isArray(raw) ? downstreamHeaders(raw, this.#options.isOwnCookie) : [];
    if (status < 200) {
      if (status === 103 && parsed["link"] !== undefined) response.writeEarlyHints({ link: parsed["link"] });
      return;
    }
    const location =
      status === 401 ? this.#options.insteadOf401(oneLine(parsed["www-authenticate"])) : undefined;
    if (location !== undefined) {
      this.#done = true;
      response.writeHead(302, { location, "cache-control": "no-store", "content-length": 0 }).end();
      controller.abort(new Error("answered otherwise"));
      return;
    }
    if (isEventStream(parsed["content-type"])) this.#options.onEventStream();
    response.writeHead(status, message ?? "", headers);
    process.nextTick(flush, this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#flushed && this.#held === undefined) {
      this.#held = chunk;
      return;
    }
    this.flush();
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  /** Sends what waits: the headers, and the first piece of the body if it is there. */
  flush(): void {
    if (this.#flushed || this.#done || this.#response.destroyed) return;
    this.#flushed = true;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#response.flushHeaders();
    else this.#response.write(held);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, _trailers: IncomingHttpHeaders): void {
    this.#done = true;
    const raw = controller.rawTrailers;
    if (Array.isArray(raw) && raw.length > 0) this.#addTrailers(raw);
    const held = this.#held;
    if (held === undefined) this.#response.end();
    // Headers and a small body as one text leave in one write.
    else if (held.length <= oneWriteBytes) this.#response.end(held.toString("latin1"), "latin1");
    else this.#response.end(held);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#options.upstream.patience.stop(this);
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

function oneLine(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.join(", ");
}

function isEventStream(type: string | string[] | undefined): boolean {
  return typeof type === "string" && type.startsWith("text/event-stream");
}

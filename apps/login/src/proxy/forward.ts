import type { IncomingMessage, ServerResponse } from "node:http";
import type { Receiver, Sending } from "../upstream/connection.ts";
import type { Upstream } from "../upstream/pool.ts";
import { downstreamHeaders, upstreamTrailers } from "./headers.ts";

export interface ForwardOptions {
  readonly upstream: Upstream;
  readonly path: string;
  /** Names and values in turn, without any that frame the message. */
  readonly headers: readonly string[];
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
  // Gone while it was decided whether it may pass: nobody would hear `close` again.
  if (response.destroyed || request.socket.destroyed) return;
  // Pipelined behind another request: it waits for its turn, so that one connection here is one there.
  if (response.socket === null)
    return void response.once("socket", () => forward(request, response, options));
  new Exchange(request, response, options).start();
}

/** Up to this size a body that came whole is sent together with its headers. */
const oneWriteBytes = 16_384;

const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** How a request's body is framed: not at all, by the Content-Length that is among its headers, or in chunks. */
type Body = "none" | "sized" | "chunked";

class Exchange implements Receiver {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ForwardOptions;
  readonly #body: Body;
  #sending: Sending | undefined;
  /** The first piece of the answer's body, while it may still turn out to be all of it. */
  #held: Buffer | undefined;
  #flushed = false;
  #waits = false;
  #done = false;
  #retried = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: ForwardOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.#body = bodyOf(request);
    response.on("close", () => this.#onClientGone());
  }

  start(): void {
    const { upstream, path, headers } = this.#options;
    const method = this.#request.method ?? "GET";
    const hasBody = this.#body !== "none";
    const head = requestHead(method, path, headers, this.#body === "chunked");
    try {
      this.#sending = upstream.send({ method, head, hasBody, fresh: this.#retried }, this);
    } catch (error) {
      return this.onError(error as Error, false);
    }
    if (!hasBody) return;
    this.#request.on("data", this.#onData);
    this.#request.on("end", this.#onRequestEnd);
  }

  onHead(status: number, reason: string, headers: string[]): void {
    const response = this.#response;
    if (status < 200) {
      if (status === 103 && this.#request.httpVersion === "1.1") this.#hint(valueOf(headers, "link"));
      return;
    }
    const location =
      status === 401 ? this.#options.insteadOf401(valueOf(headers, "www-authenticate")) : undefined;
    if (location !== undefined) {
      this.#finish();
      this.#sending?.abort();
      response.writeHead(302, { location, "cache-control": "no-store", "content-length": 0 }).end();
      return;
    }
    if (valueOf(headers, "content-type")?.toLowerCase().startsWith("text/event-stream") === true)
      this.#options.onEventStream();
    const sent = downstreamHeaders(headers, this.#options.isOwnCookie);
    response.writeHead(status, reason, this.#takesTrailers(status, headers) ? sent : withoutTrailer(sent));
  }

  /** Whether the answer goes to the client in chunks: node refuses to announce trailers otherwise (RFC 9110 section 6.5.1). */
  #takesTrailers(status: number, headers: readonly string[]): boolean {
    const { httpVersion, method } = this.#request;
    const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
    return hasBody && httpVersion === "1.1" && valueOf(headers, "content-length") === undefined;
  }

  #hint(link: string | undefined): void {
    try {
      if (link !== undefined) this.#response.writeEarlyHints({ link: link.split(/,\s*(?=<)/) });
    } catch {
      // Node takes only some hints. One that it does not take costs nobody the answer.
    }
  }

  onBody(piece: Buffer): boolean {
    if (!this.#flushed && this.#held === undefined) {
      this.#held = piece;
      return true;
    }
    this.onPause();
    return this.#write(piece);
  }

  /** Sends what waits: the headers, and the first piece of the body if it is there. */
  onPause(): void {
    if (this.#flushed || !this.#response.headersSent || this.#response.destroyed) return;
    this.#flushed = true;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#response.flushHeaders();
    else this.#write(held);
  }

  onEnd(trailers: string[]): void {
    this.#finish();
    const response = this.#response;
    if (trailers.length > 0)
      response.addTrailers(pairs(downstreamHeaders(trailers, this.#options.isOwnCookie)));
    const held = this.#held;
    if (held === undefined) response.end();
    // Headers and a small body as one text leave in one write.
    else if (held.length <= oneWriteBytes) response.end(held.toString("latin1"), "latin1");
    else response.end(held);
  }

  onDrain(): void {
    this.#request.resume();
  }

  onError(error: Error, unheard: boolean): void {
    if (this.#response.headersSent) {
      this.#finish();
      // A cut answer must look cut: an orderly end would pass for the whole of it.
      this.#response.destroy();
      return;
    }
    // A kept connection that the application closes just as we use it says nothing about the request.
    if (unheard && !this.#retried && this.#body === "none" && idempotent.has(this.#request.method ?? "")) {
      this.#retried = true;
      this.start();
      return;
    }
    this.#finish();
    this.#options.onUnreachable(error);
  }

  #write(piece: Buffer): boolean {
    if (this.#response.write(piece)) return true;
    if (this.#waits) return false;
    this.#waits = true;
    this.#response.once("drain", () => {
      this.#waits = false;
      if (!this.#done) this.#sending?.resume();
    });
    return false;
  }

  readonly #onData = (piece: Buffer): void => {
    const sending = this.#sending;
    if (sending === undefined) return;
    if (this.#body === "chunked") sending.write(`${piece.length.toString(16)}\r\n`);
    let more = sending.write(piece);
    if (this.#body === "chunked") more = sending.write("\r\n");
    if (!more) this.#request.pause();
  };

  readonly #onRequestEnd = (): void => {
    if (this.#body === "chunked")
      this.#sending?.write(`0\r\n${fieldLines(upstreamTrailers(this.#request.rawTrailers))}\r\n`);
    this.#sending?.end();
  };

  /** The answer is decided. What is left of the request's body is read, and goes nowhere: the client's connection lives on. */
  #finish(): void {
    this.#done = true;
    if (this.#body === "none") return;
    this.#request.off("data", this.#onData);
    this.#request.off("end", this.#onRequestEnd);
    this.#request.resume();
  }

  #onClientGone(): void {
    if (this.#done) return;
    this.#finish();
    this.#sending?.abort();
  }
}

/** The parser has made sure that at most one of both frames the body. */
function bodyOf({ headers }: IncomingMessage): Body {
  if (headers["transfer-encoding"] !== undefined) return "chunked";
  const length = headers["content-length"];
  return length === undefined || length === "0" ? "none" : "sized";
}

/** Every part was judged before: the path by `readTarget`, headers by the parser, and what we add by `upstreamHeaders`. */
function requestHead(method: string, path: string, headers: readonly string[], isChunked: boolean): string {
  const head = `${method} ${path} HTTP/1.1\r\n${fieldLines(headers)}`;
  return isChunked ? `${head}transfer-encoding: chunked\r\n\r\n` : `${head}\r\n`;
}

function fieldLines(fields: readonly string[]): string {
  let lines = "";
  for (let index = 0; index < fields.length; index += 2)
    lines += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return lines;
}

/** The value of a header, its lines joined by commas; undefined without it. `name` in lower case. */
function valueOf(headers: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const given = headers[index] ?? "";
    if (given.length !== name.length || given.toLowerCase() !== name) continue;
    value = value === undefined ? headers[index + 1] : `${value}, ${headers[index + 1]}`;
  }
  return value;
}

/** Without what announces trailers (RFC 9110 section 6.6.2). */
function withoutTrailer(flat: readonly string[]): string[] {
  const kept: string[] = [];
  for (const [name, value] of pairs(flat)) if (name.toLowerCase() !== "trailer") kept.push(name, value);
  return kept;
}

function pairs(flat: readonly string[]): [string, string][] {
  const all: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2)
    all.push([flat[index] ?? "", flat[index + 1] ?? ""]);
  return all;
}

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { tracing } from "@portvakt/runtime/observe";
import { json, type Answer } from "./answers.ts";
import type { App, Awaitable, Call } from "./app.ts";

/** Two tokens of the largest size, form-encoded, with room to spare. */
const maxBodyBytes = 131_072;
/** How much of what is too large is read, so that its sender comes to read the answer. */
const maxDiscardedBytes = 4_194_304;

/** A request that was read whole. */
interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: string;
}

/** How many requests are served before the first of them is answered, at most. */
const together = 32;

/**
 * Serves the app on node:http. The endpoints are small and called for every request of an application, so nothing stands
 * between the socket and them; see the benchmark. Requests that arrive in one turn of the event loop are first all read, then all
 * served, then all answered: each part's code is then found in the processor's caches, which is worth a twentieth.
 */
export function createListener(app: App): RequestListener {
  let waiting: Arrived[] = [];
  const serveWaiting = (): void => {
    const arrived = waiting;
    waiting = [];
    const served = arrived.map((one) => ({ one, answer: app(callOf(one)) }));
    for (const { one, answer } of served) send(one, answer);
  };
  // In spans, each request has a context of its own, which it would lose among the others.
  const isTraced = tracing() !== undefined;
  return (request, response) => {
    readAll(request, (body) => {
      if (body === undefined) return refuseTooLarge(request, response);
      const one = { request, response, body };
      if (isTraced) return send(one, app(callOf(one)));
      waiting.push(one);
      if (waiting.length === 1) setImmediate(serveWaiting);
      else if (waiting.length === together) serveWaiting();
    });
  };
}

function callOf({ request, body }: Arrived): Call {
  const { method = "GET", url = "/", headers } = request;
  const query = url.indexOf("?");
  return { method, path: query === -1 ? url : url.slice(0, query), headers, body };
}

function send({ request, response }: Arrived, answer: Awaitable<Answer>): void {
  const { method } = request;
  if (answer instanceof Promise) void answer.then((settled) => write(response, settled, method));
  else write(response, answer, method);
}

/**
 * Answers at once, and reads on for a while before the connection ends: one that is closed while its peer still sends is reset,
 * and the answer may be lost with it (RFC 9112 section 9.6). The server's time for a request bounds it.
 */
function refuseTooLarge(request: IncomingMessage, response: ServerResponse): void {
  const body = { error: "invalid_request", error_description: "the request is too large" };
  const answer = json(413, body, { connection: "close" });
  writeHead(response, answer, Buffer.byteLength(answer.body));
  response.write(answer.body);
  let left = maxDiscardedBytes;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.on("end", () => response.end());
}

/** Reads the body whole; gives undefined as soon as it is too large. A request that breaks off is never answered. */
function readAll(request: IncomingMessage, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else {
      request.removeAllListeners("data").removeAllListeners("end");
      done(undefined);
    }
  });
  request.on("end", () => {
    const [only] = chunks;
    done(only !== undefined && chunks.length === 1 ? only.toString() : Buffer.concat(chunks).toString());
  });
}

function write(response: ServerResponse, answer: Answer, method: string | undefined): void {
  const { body } = answer;
  const length = Buffer.byteLength(body);
  writeHead(response, answer, length);
  if (method === "HEAD") response.end();
  // ASCII is the same in both, and node writes latin1 without looking at each character again.
  else response.end(body, length === body.length ? "latin1" : "utf8");
}

function writeHead(response: ServerResponse, { status, headers }: Answer, length: number): void {
  const common = {
    "content-type": "application/json",
    "content-length": length,
    // RFC 6749 section 5.1: tokens are never to be stored on the way.
    "cache-control": "no-store",
  };
  response.writeHead(status, headers === undefined ? common : { ...common, ...headers });
}

// Requests that no handler ever sees, because node's parser refuses them: answered, logged and counted like any other refusal.
import { randomUUID } from "node:crypto";
import type { OutgoingMessage, RequestListener } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { runtimeMetrics } from "../observe/index.ts";
import type { Logger, Metrics } from "../observe/index.ts";

const refusals = {
  400: { title: "Bad request", detail: "The request is not well-formed HTTP." },
  408: { title: "Request timeout", detail: "The request did not arrive in time." },
  413: { title: "Content too large", detail: "The extensions of a chunk are too large." },
  431: { title: "Request header fields too large", detail: "The headers are larger than this server takes." },
} as const;

type Status = keyof typeof refusals;

/** Node's codes; every other one is a malformed request. */
const statuses: Readonly<Record<string, Status>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** A refusal as it is told to the caller and, under the same correlation id, to the log. */
export interface Refusal {
  readonly status: Status;
  readonly body: string;
}

/** Makes what records a refusal and gives its answer. */
export function refusalRecorder(log: Logger, metrics: Metrics | undefined): (error: unknown) => Refusal {
  const refused = metrics?.counter(runtimeMetrics.refused);
  return (error) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    const status = statuses[code ?? ""] ?? 400;
    const correlation_id = randomUUID();
    refused?.inc({ status });
    log.info({ status, code, correlation_id }, "a request was refused before it could be read");
    return { status, body: JSON.stringify({ ...refusals[status], correlation_id, status }) };
  };
}

/** RFC 9112 section 3.2: HTTP/1.1 without Host is an error. Node would answer it by itself, without a word in the log. */
export function refuseWithoutHost(
  listener: RequestListener,
  record: (error: unknown) => Refusal,
): RequestListener {
  return (request, response) => {
    if (request.headers.host !== undefined || request.httpVersion === "1.0")
      return listener(request, response);
    const { status, body } = record(undefined);
    const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
    const length = Buffer.byteLength(body);
    response.writeHead(status, { ...headers, "content-length": length, connection: "close" }).end(body);
  };
}

/** The answer whose turn it is on a server's connection; node has no public name for it. */
export function answerUnderWay(socket: Duplex): OutgoingMessage | undefined {
  return (Reflect.get(socket, "_httpMessage") as OutgoingMessage | null | undefined) ?? undefined;
}

/** Makes the listener for `clientError`. It answers where that can do no harm, and closes the connection in any case. */
export function clientErrorListener(
  record: (error: unknown) => Refusal,
): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  return (error, socket) => {
    // A connection that never carried anything was opened in advance, and nothing was asked.
    const silent = error.code === "ECONNRESET" || (socket as Socket).bytesRead === 0;
    // What is written after the head of an answer would be taken for its body.
    if (silent || !socket.writable || answerUnderWay(socket)?.headersSent === true) {
      socket.destroy();
      return;
    }
    const { status, body } = record(error);
    socket.end(
      `HTTP/1.1 ${status} ${refusals[status].title}\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  };
}

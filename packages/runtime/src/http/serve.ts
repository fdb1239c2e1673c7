// A listening HTTP/1.1 server around a fetch-shaped handler (or a node:http listener), with bounds and a graceful end.
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { correlationId, tracing } from "../observe/index.ts";
import type { Logger, Metrics, RequestTraces } from "../observe/index.ts";
import { HttpProblem, problem } from "./problem.ts";
import { answerUnderWay, clientErrorListener, refusalRecorder, refuseWithoutHost } from "./refuse.ts";
import type { Refusal } from "./refuse.ts";

export type FetchHandler = (request: Request) => Response | Promise<Response>;

interface Common {
  /** A host and a port (0 for any free one), or the path of a Unix domain socket. */
  readonly address: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  readonly log: Logger;
  /** Counts requests that could not be read. */
  readonly metrics?: Metrics;
  /** All of a request's headers together, in bytes. Default 65536: session cookies and long bearer tokens fit. */
  readonly maxHeaderBytes?: number;
  /** How long a request's headers may take to arrive. Default 10 s. */
  readonly headerTimeoutSeconds?: number;
  /** How long a whole request may take to arrive, 0 for any time (a proxy of large uploads). Default 60 s. */
  readonly requestTimeoutSeconds?: number;
  /** How long an idle connection stays open. Default 65 s: longer than the 60 s that load balancers use. */
  readonly keepAliveSeconds?: number;
  /** How requests are named in traces; absent, they are not traced. */
  readonly traces?: RequestTraces;
  /** Aborted when the process is told to stop: every answer from then on ends its connection, so that clients go elsewhere before `close`. */
  readonly stopping?: AbortSignal | undefined;
  /** Handles `Upgrade` requests; without it they are served as plain requests. */
  readonly upgrade?: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export type ServeOptions = Common &
  ({ readonly fetch: FetchHandler } | { readonly listener: http.RequestListener });

export interface HttpServer {
  /** `http://host:port` as a local caller reaches it; `unix:path` of a socket. */
  readonly url: string;
  /** 0 of a socket. */
  readonly port: number;
  readonly raw: http.Server;
  /** Stops accepting, lets requests in flight finish for `graceSeconds` (default 10), then cuts what is left. */
  close(options?: { readonly graceSeconds?: number }): Promise<void>;
}

/** One exit for everything a handler throws: a problem that it meant, or 500 with nothing of the thrown value in it. */
function guarded(handler: FetchHandler, log: Logger): FetchHandler {
  const failed = (error: unknown, request: Request): Response => {
    if (error instanceof HttpProblem) return error.toResponse();
    const correlation = correlationId(request.headers);
    log.error({ err: error, correlation_id: correlation, method: request.method }, "request failed");
    return problem(500, {
      title: "Internal error",
      detail: "The request could not be served.",
      correlation_id: correlation,
    });
  };
  return (request) => {
    try {
      const response = handler(request);
      return response instanceof Promise
        ? response.catch((error: unknown) => failed(error, request))
        : response;
    } catch (error) {
      return failed(error, request);
    }
  };
}

function trackSockets(server: http.Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // node gives up its own listener when a connection is upgraded; a peer's reset must not end the process.
    socket.on("error", () => {});
  });
  return sockets;
}

/** RFC 9112 section 9.6: who is told that the connection closes sends nothing more on it, and loses nothing. */
function endConnectionsAfterAnswers(server: http.Server, sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) {
    const answer = answerUnderWay(socket);
    if (answer !== undefined) answer.shouldKeepAlive = false;
  }
  server.prependListener("request", (_request, response) => {
    response.shouldKeepAlive = false;
  });
}

function drain(server: http.Server, sockets: ReadonlySet<Socket>, graceSeconds: number): Promise<void> {
  endConnectionsAfterAnswers(server, sockets);
  return new Promise((resolve) => {
    // Connections become idle one by one as their last response ends; node closes the idle ones only when asked.
    const sweep = setInterval(() => server.closeIdleConnections(), 25);
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy(); // upgraded sockets too, which closeAllConnections leaves
    }, graceSeconds * 1000);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
  });
}

/** The listener for requests, in spans when this process has traces. */
function listenerOf(options: ServeOptions, record: (error: unknown) => Refusal): http.RequestListener {
  const listener =
    "listener" in options ? options.listener : fetchListener(options.fetch, options.log, record);
  const traces = options.traces === undefined ? undefined : tracing();
  return options.traces === undefined || traces === undefined
    ? listener
    : traces.listener(listener, options.traces);
}

function fetchListener(
  fetch: FetchHandler,
  log: Logger,
  record: (error: unknown) => Refusal,
): http.RequestListener {
  const listener = getRequestListener(guarded(fetch, log), {
    errorHandler: (error) => {
      // Only a request that no Request object can be made of (a malformed Host, say) comes here.
      const { status, body } = record(error);
      const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
      return new Response(body, { status, headers });
    },
  });
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

function createServer(options: ServeOptions): http.Server {
  const headersTimeout = (options.headerTimeoutSeconds ?? 10) * 1000;
  const server = http.createServer({
    maxHeaderSize: options.maxHeaderBytes ?? 65_536,
    headersTimeout,
    requestTimeout: (options.requestTimeoutSeconds ?? 60) * 1000,
    keepAliveTimeout: (options.keepAliveSeconds ?? 65) * 1000,
    connectionsCheckingInterval: Math.min(1000, headersTimeout / 2),
    insecureHTTPParser: false,
    requireHostHeader: false, // refused below, as everything else is
  });
  // Counted in lines as well as in bytes; what is above node would drop silently, so the limit is above any honest request.
  server.maxHeadersCount = 2000;
  const record = refusalRecorder(options.log, options.metrics);
  server.on("clientError", clientErrorListener(record));
  server.on("request", refuseWithoutHost(listenerOf(options, record), record));
  if (options.upgrade !== undefined) server.on("upgrade", options.upgrade);
  return server;
}

function whereabouts(server: http.Server): { url: string; port: number } {
  const at = server.address() as AddressInfo | string;
  if (typeof at === "string") return { url: `unix:${at}`, port: 0 };
  const { address, family, port } = at;
  const host =
    address === "::" || address === "0.0.0.0" ? "localhost" : family === "IPv6" ? `[${address}]` : address;
  return { url: `http://${host}:${port}`, port };
}

/** Starts a server and resolves when it listens. *Throws* when the address cannot be had. */
export async function serve(options: ServeOptions): Promise<HttpServer> {
  const server = createServer(options);
  const sockets = trackSockets(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const { address } = options;
    server.listen("socketPath" in address ? { path: address.socketPath } : address, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => options.log.error({ err: error }, "server error"));
  options.stopping?.addEventListener("abort", () => endConnectionsAfterAnswers(server, sockets));
  const { url, port } = whereabouts(server);
  let closing: Promise<void> | undefined;
  return {
    url,
    port,
    raw: server,
    close: ({ graceSeconds = 10 } = {}) => (closing ??= drain(server, sockets, graceSeconds)),
  };
}

import http from "node:http";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { answerUnderWay } from "@portvakt/runtime/http";
import { serverName } from "../upstream/pool.ts";
import { downstreamHeaders } from "./headers.ts";
import { joinWebSocket } from "./websocket.ts";

/** Protocols whose traffic would be HTTP again, past every rule of ours. Such an upgrade is ignored, as RFC 9110 section 7.8 allows. */
const refusedProtocols = /^(h2c?|http|tls)\b/i;

/** Whether a request's `Upgrade` is passed on; one that is not is an ordinary request. */
export function passesUpgrade(request: IncomingMessage): boolean {
  const { upgrade, connection, host } = request.headers;
  if (upgrade === undefined || request.method !== "GET" || request.httpVersion === "1.0") return false;
  // RFC 9112 section 3.2: refused, as any request is.
  if (host === undefined) return false;
  // An answer to an earlier request is still to come on this connection: 101 must not overtake it.
  if (answerUnderWay(request.socket) !== undefined) return false;
  const asked = (connection ?? "").split(",").some((part) => part.trim().toLowerCase() === "upgrade");
  return asked && !upgrade.split(",").some((protocol) => refusedProtocols.test(protocol.trim()));
}

export interface UpgradeOptions {
  readonly origin: string;
  readonly ca: string | undefined;
  readonly path: string;
  readonly headers: readonly string[];
  readonly isOwnCookie: (name: string) => boolean;
  readonly onUnreachable: (error: Error) => void;
  /** Called once the protocol is switched, with a way to end the connection. */
  readonly onOpen: (client: Duplex, end: () => void) => void;
}

const connectMilliseconds = 10_000;

/**
 * Asks the application to switch protocols and, only when it says 101, joins the two connections. Any other answer is passed on as
 * an ordinary response and ends the connection: what a client sends behind it must not reach the application unseen.
 */
export function forwardUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: UpgradeOptions,
): void {
  if (socket.destroyed) return;
  const url = new URL(options.origin);
  const send = url.protocol === "https:" ? https.request : http.request;
  const outgoing = send({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port,
    path: options.path,
    method: "GET",
    agent: false,
    setHost: false,
    timeout: connectMilliseconds,
    ...(url.protocol === "https:" ? { ca: options.ca, ...serverName(url.hostname) } : {}),
    headers: [...options.headers, "connection", "Upgrade", "upgrade", request.headers.upgrade ?? ""],
  });
  const abort = (): void => void outgoing.destroy();
  socket.once("close", abort);
  socket.on("error", abort);
  outgoing.on("timeout", () =>
    outgoing.destroy(new Error("the application did not answer the upgrade in time")),
  );
  let begun = false;
  outgoing.on("error", (error) => (begun ? socket.destroy() : options.onUnreachable(error)));
  outgoing.on("response", (answer) => {
    begun = true;
    outgoing.setTimeout(0);
    answer.once("close", () => (answer.complete ? undefined : socket.destroy()));
    writeHead(socket, answer.statusCode ?? 502, answer.statusMessage ?? "", [
      ...downstreamHeaders(answer.rawHeaders, options.isOwnCookie),
      "connection",
      "close",
    ]);
    answer.pipe(socket);
  });
  outgoing.on("upgrade", (answer, upstream, firstBytes) => {
    writeHead(socket, 101, answer.statusMessage ?? "Switching Protocols", [
      ...downstreamHeaders(answer.rawHeaders, options.isOwnCookie),
      "connection",
      "Upgrade",
      "upgrade",
      answer.headers.upgrade ?? request.headers.upgrade ?? "",
    ]);
    if (firstBytes.length > 0) upstream.unshift(firstBytes);
    if (head.length > 0) upstream.write(head);
    const isWebSocket = (answer.headers.upgrade ?? "").toLowerCase() === "websocket";
    options.onOpen(socket, isWebSocket ? joinWebSocket(socket, upstream) : joinPlain(socket, upstream));
    dieTogether(socket, upstream);
  });
  outgoing.end();
}

/** Writes a whole small answer on a connection that asked for an upgrade, and ends it. */
export async function answerSocket(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = [...response.headers].flat();
  writeHead(socket, response.status, http.STATUS_CODES[response.status] ?? "", [
    ...headers,
    "content-length",
    String(body.length),
    "connection",
    "close",
  ]);
  socket.end(body);
}

function writeHead(socket: Duplex, status: number, message: string, headers: readonly string[]): void {
  let text = `HTTP/1.1 ${status} ${message}\r\n`;
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  socket.write(`${text}\r\n`, "latin1");
}

function joinPlain(client: Duplex, upstream: Duplex): () => void {
  upstream.pipe(client);
  client.pipe(upstream);
  return () => client.destroy();
}

function dieTogether(client: Duplex, upstream: Duplex): void {
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on("error", () => other.destroy());
    // What is written already still goes out; then both are closed.
    one.on("close", () => (other.writableEnded ? undefined : other.destroy()));
  }
}

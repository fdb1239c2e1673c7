// An HTTP/1.1 load generator over plain sockets: each connection sends its next request when it has its answer (closed loop),
// or when its time has come (a given rate).
// Ours, because a general client costs more CPU than the servers under test, would share their core, and cannot send a
// different signed body each time from a list made beforehand.
import { once } from "node:events";
import net from "node:net";

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Whole requests, head and body; taken in turn, from the start again when there are too few. */
  readonly requests: readonly string[];
  /** How many to send in all. */
  readonly count: number;
  /** Requests per second; without it, as many as the connections can carry. */
  readonly rate?: number;
  /** Whether answers that are no success are counted like others. */
  readonly anyStatus?: true;
  /** Whether this generator shares its core with another one, and sleeps while it waits. */
  readonly sleeps?: true;
}

export interface Loaded {
  readonly seconds: number;
  /** Milliseconds, in the order of completion. */
  readonly latencies: readonly number[];
}

interface Answer {
  readonly status: number;
  /** Bytes that the whole answer takes, or undefined while it is not all there. */
  readonly length: number | undefined;
}

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("\r\n0\r\n\r\n");

function parseAnswer(data: Buffer): Answer | undefined {
  const end = data.indexOf(headEnd);
  if (end < 0) return undefined;
  const head = data.toString("latin1", 0, end);
  const status = Number(head.slice(9, 12));
  const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (declared !== undefined) {
    const length = end + 4 + Number(declared);
    return { status, length: data.length >= length ? length : undefined };
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head))
    return { status, length: data.includes(lastChunk, end) ? data.length : undefined };
  return { status, length: end + 4 };
}

/** Opened before the clock starts: the first requests would otherwise wait for all connections to be made. */
async function connected(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

/**
 * Sends the requests, and resolves when all are answered. *Throws* when an answer is not a success. With a rate, latency counts
 * from when a request was due, unless a connection was free then: how late the timer was is not the server's doing.
 */
export async function load(options: Load): Promise<Loaded> {
  const requests = options.requests.map((request) => Buffer.from(request, "latin1"));
  const latencies: number[] = [];
  let sent = 0;
  const sockets = await Promise.all(
    Array.from({ length: options.connections }, () => connected(options.port)),
  );
  const start = performance.now();
  const dueAt = (index: number): number =>
    options.rate === undefined ? 0 : start + (index * 1000) / options.rate;
  const drive = (socket: net.Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      let data: Buffer = Buffer.alloc(0);
      let started = 0;
      const next = (): void => {
        const request = requests[sent % requests.length];
        if (sent >= options.count || request === undefined) {
          socket.end();
          resolve();
          return;
        }
        const due = dueAt(sent++);
        const free = performance.now();
        const write = (): void => {
          started = free > due && options.rate !== undefined ? due : performance.now();
          socket.write(request);
        };
        if (free >= due) write();
        else setTimeout(write, due - free);
      };
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the server closed the connection")));
      socket.on("data", (chunk: Buffer) => {
        data = data.length === 0 ? chunk : Buffer.concat([data, chunk]);
        const answer = parseAnswer(data);
        if (answer?.length === undefined) return;
        if (options.anyStatus !== true && (answer.status < 200 || answer.status > 299)) {
          reject(new Error(`the server answered ${answer.status}: ${data.toString("utf8", 0, 600)}`));
          socket.destroy();
          return;
        }
        data = Buffer.alloc(0);
        latencies.push(performance.now() - started);
        next();
      });
      next();
    });
  // A sleeping generator would have to be woken with each answer, and that costs whoever sends it as much as a small request.
  let isRunning = options.sleeps !== true;
  const stayAwake = (): void => {
    if (isRunning) setImmediate(stayAwake);
  };
  stayAwake();
  try {
    await Promise.all(sockets.map(drive));
  } finally {
    isRunning = false;
  }
  return { seconds: (performance.now() - start) / 1000, latencies };
}

/** A request's bytes. `body` makes it a POST. */
export function requestText(path: string, headers: Readonly<Record<string, string>>, body?: string): string {
  const lines = Object.entries({
    host: "localhost",
    ...headers,
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  });
  return `${body === undefined ? "GET" : "POST"} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body ?? ""}`;
}

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
  /** Whether this generator shares its core with somebody, and sleeps while it waits; then it is up to a millisecond late. */
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

interface Listener {
  /** An answer is there, whole, and a success unless `anyStatus`. */
  readonly answered: () => void;
  readonly failed: (error: Error) => void;
}

function listenTo(socket: net.Socket, anyStatus: boolean, { answered, failed }: Listener): void {
  let data: Buffer = Buffer.alloc(0);
  socket.on("error", failed);
  socket.on("close", () => failed(new Error("the server closed the connection")));
  socket.on("data", (chunk: Buffer) => {
    data = data.length === 0 ? chunk : Buffer.concat([data, chunk]);
    const answer = parseAnswer(data);
    if (answer?.length === undefined) return;
    if (!anyStatus && (answer.status < 200 || answer.status > 299))
      return failed(new Error(`the server answered ${answer.status}: ${data.toString("utf8", 0, 600)}`));
    data = Buffer.alloc(0);
    answered();
  });
}

/** Calls `send` whenever something may be due, until the result is called. */
function keepSending(send: () => void, sleepsUntil: (() => number | undefined) | undefined): () => void {
  let isRunning = true;
  // A sleeping generator would have to be woken with each answer, and that costs whoever sends it as much as a small request.
  const stayAwake = (): void => {
    send();
    if (isRunning) setImmediate(stayAwake);
  };
  const wakeWhenDue = (): void => {
    send();
    const due = sleepsUntil?.();
    if (isRunning && due !== undefined) setTimeout(wakeWhenDue, Math.max(0, due - performance.now()));
  };
  if (sleepsUntil === undefined) stayAwake();
  else wakeWhenDue();
  return () => {
    isRunning = false;
  };
}

/** Sends a request on a connection that is free; its latency counts from `since`. */
type Send = (request: Buffer, since: number) => void;

/**
 * Sends the requests, and resolves when all are answered. *Throws* when an answer is not a success. With a rate, latency counts
 * from when a request was due, unless a connection was free then: how late the generator was is not the server's doing.
 */
export async function load(options: Load): Promise<Loaded> {
  const { count, rate } = options;
  const requests = options.requests.map((request) => Buffer.from(request, "latin1"));
  const sockets = await Promise.all(
    Array.from({ length: options.connections }, () => connected(options.port)),
  );
  const latencies: number[] = [];
  const done = Promise.withResolvers<void>();
  const free: Send[] = [];
  const start = performance.now();
  let sent = 0;
  const dueAt = (index: number): number => (rate === undefined ? start : start + (index * 1000) / rate);

  /** Sends as much of what is due as connections are free. */
  const sendDue = (sinceWhen: (due: number, now: number) => number): void => {
    for (let now = performance.now(); sent < count && dueAt(sent) <= now; now = performance.now()) {
      const send = free.shift();
      if (send === undefined) return;
      const due = dueAt(sent);
      send(requests[sent++ % requests.length] ?? Buffer.alloc(0), sinceWhen(due, now));
    }
  };
  const sendOnTime = (): void => sendDue((_due, now) => now);
  const sendOverdue = (): void => sendDue((due, now) => (rate === undefined ? now : due));

  for (const socket of sockets) {
    let started = 0;
    const send: Send = (request, since) => {
      started = since;
      socket.write(request);
    };
    const answered = (): void => {
      latencies.push(performance.now() - started);
      if (latencies.length === count) return done.resolve();
      free.push(send);
      if (free.length === 1) sendOverdue();
    };
    listenTo(socket, options.anyStatus === true, { answered, failed: done.reject });
    free.push(send);
  }

  const nextDue = (): number | undefined => (rate === undefined || sent >= count ? undefined : dueAt(sent));
  const stop = keepSending(sendOnTime, options.sleeps === true ? nextDue : undefined);
  try {
    await done.promise;
  } finally {
    stop();
    for (const socket of sockets) socket.destroy();
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

import type { Duplex } from "node:stream";

/** What a session's end is called on its WebSockets (RFC 6455 section 7.4.2: 4000 to 4999 are for applications). */
const sessionEnded = { code: 4401, reason: "session ended" } as const;

/** How long the rest of a frame may take to arrive before the connection is cut in the middle of it, milliseconds. */
const patienceMilliseconds = 500;

/**
 * Joins a client's and the application's end of a WebSocket, both ways with back-pressure, and gives a way to close it orderly:
 * the close frame goes out between two frames of the application's, never inside one.
 */
export function joinWebSocket(client: Duplex, upstream: Duplex): () => void {
  const frames = frameTracker();
  let closing = false;
  let closed = false;
  const finish = (): void => {
    if (closed) return;
    closed = true;
    client.write(closeFrame());
    client.end();
    upstream.destroy();
  };
  upstream.on("data", (chunk: Buffer) => {
    if (closed) return;
    const length = frames.advance(chunk, closing);
    if (!client.write(length === chunk.length ? chunk : chunk.subarray(0, length))) upstream.pause();
    if (closing && frames.between) finish();
  });
  client.on("drain", () => upstream.resume());
  upstream.on("end", () => client.end());
  client.pipe(upstream);
  return () => {
    if (closing) return;
    closing = true;
    if (frames.between) finish();
    const cut = setTimeout(() => client.destroy(), patienceMilliseconds);
    client.once("close", () => clearTimeout(cut));
  };
}

function closeFrame(): Buffer {
  const reason = Buffer.from(sessionEnded.reason);
  const code = Buffer.alloc(2);
  code.writeUInt16BE(sessionEnded.code);
  return Buffer.concat([Buffer.of(0x88, reason.length + 2), code, reason]);
}

interface FrameTracker {
  /** Whether what was seen so far ends with a whole frame. */
  readonly between: boolean;
  /** Reads on; gives how many bytes were read: all, or up to the end of the frame where it was asked to stop there. */
  advance(chunk: Buffer, stopBetween: boolean): number;
}

/** Follows the frames of a stream (RFC 6455 section 5.2) without looking into them. */
function frameTracker(): FrameTracker {
  const header: number[] = [];
  let payload = 0;
  const headerLength = (): number => {
    const second = header[1];
    if (second === undefined) return 2;
    const size = second & 0x7f;
    return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4);
  };
  const payloadLength = (): number => {
    const size = (header[1] ?? 0) & 0x7f;
    if (size < 126) return size;
    return header.slice(2, size === 126 ? 4 : 10).reduce((sum, byte) => sum * 256 + byte, 0);
  };
  const between = (): boolean => header.length === 0 && payload === 0;
  return {
    get between() {
      return between();
    },
    advance(chunk, stopBetween) {
      let at = 0;
      while (at < chunk.length) {
        if (stopBetween && between()) break;
        if (payload > 0) {
          const taken = Math.min(payload, chunk.length - at);
          payload -= taken;
          at += taken;
          continue;
        }
        header.push(chunk[at] ?? 0);
        at += 1;
        if (header.length < headerLength()) continue;
        payload = payloadLength();
        header.length = 0;
      }
      return at;
    },
  };
}

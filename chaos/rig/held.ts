// Connections that stay open: a WebSocket, an event stream.
import net from "node:net";

export interface Held {
  /** The status that the connection began with. */
  readonly status: number;
  /** Whether the other side has ended it. */
  readonly closed: boolean;
  end(): void;
}

/** Sends a request and keeps what it opens. `upgrade` asks for a WebSocket. */
export function hold(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  upgrade = false,
): Promise<Held> {
  const asked = upgrade
    ? { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "x", "sec-websocket-version": "13" }
    : { accept: "text/event-stream" };
  const lines = Object.entries({ ...headers, ...asked }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    let closed = false;
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.on("error", reject);
    socket.on("close", () => {
      closed = true;
      reject(new Error("the connection ended before it began"));
    });
    socket.on("data", (chunk: Buffer) =>
      resolve({
        status: Number(chunk.toString("latin1", 9, 12)),
        get closed() {
          return closed;
        },
        end: () => void socket.destroy(),
      }),
    );
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  });
}

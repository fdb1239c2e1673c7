// A TCP relay between a client and a server, in which things go wrong on command.
import net from "node:net";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";

export interface Way extends AsyncDisposable {
  readonly port: number;
  /** How late everything that the server says arrives. */
  delayMs: number;
  /** As if the server had been killed: connections are reset, and new ones refused. */
  cut(): Promise<void>;
  /** As if it had been started again. */
  mend(): Promise<void>;
  /** Connections that were opened so far. */
  readonly opened: number;
}

/** Hands chunks on in order, each `delay` milliseconds after it came. */
function late(delay: () => number): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const milliseconds = delay();
      if (milliseconds === 0) done(null, chunk);
      else setTimeout(() => done(null, chunk), milliseconds);
    },
  });
}

/** Opens a relay to a port of this machine. */
export async function openWay(to: () => number, port = 0): Promise<Way> {
  const sockets = new Set<net.Socket>();
  let opened = 0;
  const server = net.createServer({ noDelay: true }, (near) => {
    opened++;
    const far = net.connect({ port: to(), host: "127.0.0.1", noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(late(() => way.delayMs)).pipe(near);
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", resolve);
    });
  await listen(port);
  const own = (server.address() as AddressInfo).port;
  const close = async (end: (socket: net.Socket) => void): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) if (!socket.destroyed) end(socket);
    await closed;
  };
  const way: Way = {
    port: own,
    delayMs: 0,
    get opened() {
      return opened;
    },
    cut: () => close((socket) => socket.resetAndDestroy()),
    mend: () => listen(own),
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await close((socket) => socket.destroy());
    },
  };
  return way;
}

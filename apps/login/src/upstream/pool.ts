import net from "node:net";
import tls from "node:tls";
import { Connection, tickMilliseconds, type Receiver, type Sending } from "./connection.ts";

/** The application behind the proxy. */
export interface Upstream {
  /** Such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  /**
   * Sends a request's head on a connection that is free, or on a new one where `fresh` asks for it or none is.
   * Throws: Error when there are as many connections as there may be. All other trouble comes to the receiver, later.
   */
  send(request: UpstreamRequest, receiver: Receiver): Sending;
  close(): void;
}

export interface UpstreamRequest {
  readonly method: string;
  /** The whole head, with its empty line. */
  readonly head: string;
  readonly hasBody: boolean;
  readonly fresh: boolean;
}

/** More than one process can serve at once. */
const maxConnections = 10_000;
const connectMilliseconds = 5000;

/** Keeps connections to the application, over TLS where its origin is https. */
export function openUpstream(origin: string, options: { readonly ca: string | undefined }): Upstream {
  const connect = connectorTo(new URL(origin), options.ca);
  const open = new Set<Connection>();
  const idle: Connection[] = [];
  const onIdle = (connection: Connection): void => void idle.push(connection);
  const openOne = (): Connection => {
    if (open.size >= maxConnections) throw new Error("no more connections to the application");
    const socket = connect();
    const connection = new Connection(socket, onIdle);
    open.add(connection);
    socket.once("close", () => open.delete(connection));
    return connection;
  };
  const takeIdle = (): Connection | undefined => {
    // The one that was used last: the others can grow old and go.
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) if (one.isOpen) return one;
    return undefined;
  };
  const timer = setInterval(() => {
    for (const connection of open) connection.tick();
    const still = idle.filter(({ isOpen }) => isOpen);
    idle.splice(0, idle.length, ...still);
  }, tickMilliseconds);
  timer.unref();
  return {
    origin,
    send({ method, head, hasBody, fresh }, receiver) {
      const connection = (fresh ? undefined : takeIdle()) ?? openOne();
      connection.send(method, head, hasBody, receiver);
      return connection;
    },
    close() {
      clearInterval(timer);
      for (const connection of open) connection.abort();
    },
  };
}

/** How a connection to a server is opened. One that takes too long fails. */
function connectorTo(url: URL, ca: string | undefined): () => net.Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const bounded = (socket: net.Socket, connected: "connect" | "secureConnect"): net.Socket => {
    socket.setNoDelay(true);
    socket.setTimeout(connectMilliseconds, () =>
      socket.destroy(new Error("the application could not be reached in time")),
    );
    return socket.once(connected, () => socket.setTimeout(0));
  };
  if (!isTls) return () => bounded(net.connect({ host, port }), "connect");
  const secureContext = tls.createSecureContext(ca === undefined ? {} : { ca });
  const names = serverName(host);
  return () =>
    bounded(
      tls.connect({ host, port, secureContext, ALPNProtocols: ["http/1.1"], ...names }),
      "secureConnect",
    );
}

/** What TLS calls the application: RFC 6066 section 3, an address is no server name. */
export function serverName(host: string): { readonly servername?: string } {
  return net.isIP(host.replace(/^\[|\]$/g, "")) === 0 ? { servername: host } : {};
}

// How a program of its own tells the benchmark that started it where it listens, and ends with it.
import type { AddressInfo, Server } from "node:net";

/** Listens on a free port, and says where once it does. */
export function announce(server: Server): void {
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.send?.({ type: "listening", addresses: { main: `http://127.0.0.1:${port}` } });
  });
  process.on("disconnect", () => process.exit(0));
}

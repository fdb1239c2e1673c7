// Preloaded into an application that `portvakt dev` starts. Tells the supervisor over IPC when the application listens
// on its PORT, and ends the application when the supervisor is gone. The application itself knows nothing of it.
import { subscribe } from "node:diagnostics_channel";
import { flushCompileCache } from "node:module";
import type { Server } from "node:net";

// the supervisor names the port in this module's own address
const wanted = Number(new URL(import.meta.url).searchParams.get("port"));

subscribe("tracing:net.server.listen:asyncEnd", (event) => {
  const { server } = event as { server: Server };
  const address = server.address();
  if (address === null || typeof address === "string" || address.port !== wanted) return;
  flushCompileCache(); // now, and not at the end: the next application starts in a moment
  if (!process.connected) return;
  const addresses = { application: `http://localhost:${wanted}` };
  process.send?.({ type: "listening", addresses }, undefined, undefined, () => {});
});

process.on("disconnect", () => process.exit(0));
// went before this module was loaded
if (process.send !== undefined && !process.connected) process.exit(0);
process.channel?.unref();

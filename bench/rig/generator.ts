// The load generator as a process of its own, on a core of its own: takes loads over IPC, gives back what they took.
import { load } from "./load.ts";
import type { Load } from "./load.ts";

process.on("message", (order: Load) => {
  load(order).then(
    (loaded) => process.send?.({ loaded }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.({ type: "listening", addresses: {} });

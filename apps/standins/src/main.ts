// Owns: the process of the stand-ins.
// Does not own: what they do (see index.ts).
// Request path: main -> start -> standins -> app (one per provider).
// Spec: see index.ts.
import { runProcess } from "@portvakt/runtime/process";
import { settings, start } from "./index.ts";

await runProcess({
  name: "portvakt standins",
  settings,
  start,
  env: process.env,
  argv: process.argv.slice(2),
  now: () => Date.now() / 1000,
});

// One of our servers as its main.ts starts it, but for the clock, which the parent moves: `node server.ts login`.
import { runProcess } from "@portvakt/runtime/process";

let offsetSeconds = 0;
const common = {
  env: process.env,
  argv: [],
  now: (): number => Date.now() / 1000 + offsetSeconds,
};
process.on("message", (message: { readonly offsetSeconds?: number }) => {
  if (message.offsetSeconds === undefined) return;
  offsetSeconds = message.offsetSeconds;
  process.send?.({ type: "clock" });
});

const name = process.argv[2];
if (name === "login") await runProcess({ name, ...common, ...(await import("@portvakt/login")) });
else if (name === "tokens") await runProcess({ name, ...common, ...(await import("@portvakt/tokens")) });
else if (name === "tokenx") await runProcess({ name, ...common, ...(await import("@portvakt/tokenx")) });
else throw new Error(`there is no server ${String(name)}`);

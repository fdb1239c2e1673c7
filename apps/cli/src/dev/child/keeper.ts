// Runs someone's own command as an application of `portvakt dev`: tells the supervisor when the command listens on its
// PORT, ends with the command's exit code, and ends the command with everything that it started when the supervisor is gone.
import { spawn } from "node:child_process";
import { connect } from "node:net";

const [given, command = "", ...args] = process.argv.slice(2);
const port = Number(given);
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], shell: args.length === 0 });

let ending = false;
/** The keeper leads a process group, and the command is in it: a signal to the group reaches all of it. */
function end(): void {
  if (ending) return;
  ending = true;
  process.kill(-process.pid, "SIGTERM");
}

function look(waitMs: number): void {
  const socket = connect({ port, host: "localhost" });
  socket.once("connect", () => {
    socket.destroy();
    if (ending || !process.connected) return;
    const addresses = { application: `http://localhost:${port}` };
    process.send?.({ type: "listening", addresses }, undefined, undefined, () => {});
  });
  socket.once("error", () => setTimeout(look, waitMs, Math.min(waitMs * 1.5, 1000)).unref());
}

child.once("error", (error) => {
  process.stderr.write(`${command} could not be started: ${error.message}\n`);
  process.exit(2);
});
child.once("exit", (code, signal) => process.exit(ending ? 0 : (code ?? (signal === null ? 1 : 128))));
process.on("SIGTERM", end);
process.on("disconnect", end);
// went before this module was loaded
if (process.send !== undefined && !process.connected) end();
process.channel?.unref();
look(50);

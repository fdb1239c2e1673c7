// Runs someone's own command as an application of `portvakt dev`: tells the supervisor when the command listens on its
// PORT, ends with the command's exit code, and ends the command with everything that it started when the supervisor is gone.
// What made a session of its own (setsid(2), as daemons do) is no part of the command any more, and is left alone.
import { spawn } from "node:child_process";
import { connect } from "node:net";

const [given, command = "", ...args] = process.argv.slice(2);
const port = Number(given);
// a process group of its own: a signal to the group reaches all that the command started
const child = spawn(command, args, {
  stdio: ["ignore", "inherit", "inherit"],
  shell: args.length === 0,
  detached: true,
});
// should this process be killed, the supervisor ends the group
process.send?.({ type: "group", group: child.pid }, undefined, undefined, () => {});
/** Less than the supervisor gives this process. */
const graceMs = 3000;
const lookEveryMs = 20;

/** Sends a signal to the command and all that it started; false when nobody of them is left. */
function signal(sign: NodeJS.Signals | 0): boolean {
  try {
    return child.pid !== undefined && process.kill(-child.pid, sign);
  } catch {
    return false;
  }
}

let ending = false;
/** Some watchers outlive the program that started them, and some pay no heed to SIGTERM: nobody is left behind. */
function end(code = 0): void {
  if (ending) return;
  ending = true;
  signal("SIGTERM");
  const last = setTimeout(signal, graceMs, "SIGKILL");
  const looking = setInterval(() => {
    if (signal(0)) return;
    clearTimeout(last);
    clearInterval(looking);
    process.exit(code);
  }, lookEveryMs);
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
child.once("exit", (code, sign) => end(code ?? (sign === null ? 1 : 128)));
process.on("SIGTERM", () => end());
process.on("disconnect", () => end());
// went before this module was loaded
if (process.send !== undefined && !process.connected) end();
process.channel?.unref();
look(50);

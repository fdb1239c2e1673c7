// Our servers as processes of their own, which can be killed, started again and given a wrong clock.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type ServerName = "login" | "tokens" | "tokenx";

export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** Its listeners by name, as URLs. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Moves its clock by so many seconds from the real one; resolves when it has. */
  moveClock(offsetSeconds: number): Promise<void>;
  /** SIGKILL: no chance to say goodbye. */
  kill(): Promise<void>;
}

const program = fileURLToPath(new URL("server.ts", import.meta.url));

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await gone;
  clearTimeout(late);
}

/** Starts a server, and resolves when it listens. With CHAOS_LOGS set, what it logs is on standard error. */
export async function startServer(name: ServerName, env: Readonly<Record<string, string>>): Promise<Server> {
  const logs = process.env["CHAOS_LOGS"] === undefined ? "ignore" : 2;
  const child = spawn(process.execPath, [program, name], {
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE_COMPILE_CACHE: fileURLToPath(new URL("../../node_modules/.cache/portvakt", import.meta.url)),
      ...env,
    },
    stdio: ["ignore", logs, "inherit", "ipc"],
  });
  child.setMaxListeners(50);
  const listening = once(child, "message") as Promise<[{ addresses: Record<string, string> }]>;
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the server ${name} ended with ${String(code)} before it listened`);
  });
  const [{ addresses }] = await Promise.race([listening, ended]);
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    addresses,
    async moveClock(offsetSeconds) {
      const moved = once(child, "message");
      child.send({ offsetSeconds });
      await moved;
    },
    kill: () => end(child, "SIGKILL"),
    [Symbol.asyncDispose]: () => end(child, "SIGTERM"),
  };
}

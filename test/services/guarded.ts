// A server that tests need, as a child that cannot outlive the run.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** A port that was free a moment ago. Whoever binds it must be ready to try another. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

// The shell holds the read end of a pipe whose other end only this process has. When this process ends in any way,
// kill -9 included, `cat` sees the end of it, and the shell stops the server and removes its folder. A session of
// its own (detached) keeps a Ctrl-C in the terminal from reaching the shell first.
const guard = `
"$@" < /dev/null &
server=$!
exec > /dev/null 2>&1
cat
kill -INT "$server"
wait "$server"
rm -rf "$GUARDED_FOLDER"
`;

/** A server under guard. */
export interface Guarded {
  /** Stops the server, waits for its end and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts `command` and resolves when its output matches `ready`.
 * *Throws* with the end of its output when it ends first, or after `seconds`.
 */
export async function startGuarded(o: {
  command: readonly string[];
  folder: string;
  ready: RegExp;
  seconds: number;
}): Promise<Guarded> {
  const shell = spawn("/bin/sh", ["-c", guard, "sh", ...o.command], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, GUARDED_FOLDER: o.folder },
  });
  const ended = new Promise<void>((resolve) => {
    shell.once("close", () => resolve());
  });
  const stop = async (): Promise<void> => {
    shell.stdin.end();
    await ended;
  };
  let output = "";
  const outcome = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve(`did not become ready within ${o.seconds} s`), o.seconds * 1000);
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8192);
      if (o.ready.test(output)) resolve("ready");
    };
    shell.stdout.on("data", read);
    shell.stderr.on("data", read);
    // The shell has let go of its own output: this is the server's end.
    shell.stdout.once("end", () => resolve("ended"));
    shell.once("error", (error) => resolve(String(error)));
    void ended.then(() => clearTimeout(timer));
  });
  if (outcome === "ready") return { stop };
  await stop();
  throw new Error(`${o.command[0] ?? ""} ${outcome}: ${output.trim().split("\n").slice(-5).join(" | ")}`);
}

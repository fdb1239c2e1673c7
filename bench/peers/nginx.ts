// nginx as a plain reverse proxy with one worker: what the login proxy is measured beside.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { childrenOf, cores, findProgram, startProgram } from "../rig/processes.ts";
import { CannotMeasure } from "../rig/problems.ts";

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function configuration(folder: string, port: number, upstream: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${folder}/${name};`,
  );
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
${temporary.join("\n")}
  keepalive_requests 100000000;
  upstream application { server ${upstream}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
}

export interface Nginx extends AsyncDisposable {
  readonly port: number;
  readonly pids: readonly number[];
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.on("connect", () => (socket.destroy(), resolve(true)));
      socket.on("error", () => resolve(false));
    });
    if (open) return;
    await delay(25);
  }
  throw new Error("nginx did not start");
}

/** The master listens a little before its worker is there, whose CPU time is what counts. */
async function workersOf(master: number): Promise<readonly number[]> {
  for (let tries = 0; tries < 200; tries++) {
    const workers = childrenOf(master);
    if (workers.length > 0) return workers;
    await delay(25);
  }
  throw new Error("nginx has no worker");
}

/** Starts nginx on the server's core. *Throws* CannotMeasure without it. */
export async function startNginx(upstreamPort: number): Promise<Nginx> {
  const program = findProgram("nginx");
  if (program === undefined)
    throw new CannotMeasure("needs nginx to compare with (Debian: apt install nginx-light)");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-bench-"));
  const port = await freePort();
  await writeFile(join(folder, "nginx.conf"), configuration(folder, port, `127.0.0.1:${upstreamPort}`));
  const started = startProgram(cores.server, program, ["-p", folder, "-c", join(folder, "nginx.conf")]);
  await untilListening(port);
  return {
    port,
    pids: await workersOf(started.child.pid ?? 0),
    [Symbol.asyncDispose]: async () => {
      await started[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// Real stores as child processes that can be killed and started again with what they had kept.
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A program that a run needs is not installed. The message says how to get it, in one line. */
export class CannotRun extends Error {}

export interface Store extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** SIGKILL, to every process of it. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had written. */
  start(): Promise<void>;
}

function findProgram(names: readonly string[]): string | undefined {
  for (const name of names) {
    try {
      const search = `PATH="$PATH:/usr/sbin:/sbin:/usr/local/bin" command -v ${name}`;
      return execFileSync("sh", ["-c", search], { encoding: "utf8" }).trim();
    } catch {
      continue;
    }
  }
  return undefined;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program, and resolves when what it prints says that it is ready. */
async function startProgram(command: readonly string[], cwd: string, ready: RegExp): Promise<ChildProcess> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed = (printed + chunk.toString()).slice(-8192);
      if (ready.test(printed)) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${program} ended: ${printed.slice(-500)}`)));
  });
  return child;
}

/** A store of the given command in a folder of its own; ends with this process, whatever ends it. */
async function keepRunning(options: {
  readonly command: readonly string[];
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  readonly ready: RegExp;
}): Promise<Store> {
  const { command, folder, port, url, ready } = options;
  let child: ChildProcess | undefined;
  const killGroup = (): void => {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
  };
  process.on("exit", killGroup);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const store: Store = {
    port,
    url,
    async start() {
      // A store that was killed a moment ago may not have let go of everything yet.
      for (let tries = 1; ; tries++) {
        try {
          child = await startProgram(command, folder, ready);
          return;
        } catch (error) {
          if (tries === 50) throw error;
          await delay(100);
        }
      }
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      killGroup();
      await gone;
    },
    [Symbol.asyncDispose]: async () => {
      await store.kill();
      process.off("exit", killGroup);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await store.start();
  return store;
}

/** A Redis or Valkey that writes everything down before it answers. *Throws* CannotRun without one. */
export async function startRedis(): Promise<Store> {
  const program = process.env["PORTVAKT_TEST_REDIS_SERVER"] ?? findProgram(["valkey-server", "redis-server"]);
  if (program === undefined) throw new CannotRun("needs Redis or Valkey (Debian: apt install redis-server)");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-chaos-redis-"));
  const port = await freePort();
  const kept = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir", folder];
  const command = [program, "--port", String(port), "--bind", "127.0.0.1", ...kept];
  const url = `redis://127.0.0.1:${port}`;
  return keepRunning({ command, folder, port, url, ready: /ready to accept connections/iu });
}

/** PostgreSQL refuses to run as root: the words before its commands that make it run as somebody else. */
function asServerAccount(folder: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const line =
    lines.find((one) => one.startsWith("postgres:")) ?? lines.find((one) => one.startsWith("nobody:"));
  const [, , uid = "0", gid = "0"] = line?.split(":") ?? [];
  chmodSync(folder, 0o700);
  chownSync(folder, Number(uid), Number(gid));
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
}

/** A PostgreSQL with an empty database that writes everything down before it answers. *Throws* CannotRun without one. */
export async function startPostgres(): Promise<Store> {
  const places = globSync("/usr/{lib/postgresql/*,pgsql-*,local/pgsql}/bin/initdb").toSorted((a, b) =>
    b.localeCompare(a, "en", { numeric: true }),
  );
  const initdb = places[0] ?? findProgram(["initdb"]);
  if (initdb === undefined) throw new CannotRun("needs PostgreSQL (Debian: apt install postgresql)");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-chaos-postgres-"));
  const prefix = asServerAccount(folder);
  const [data, port, password] = [join(folder, "data"), await freePort(), randomBytes(12).toString("hex")];
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o644 });
  const options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--username=portvakt"];
  const [first = initdb, ...rest] = [
    ...prefix,
    initdb,
    "--pgdata",
    data,
    "--pwfile",
    passwordFile,
    ...options,
  ];
  execFileSync(first, rest, { cwd: folder, stdio: "ignore" });
  const settings = { listen_addresses: "127.0.0.1", port: String(port), unix_socket_directories: folder };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [...prefix, join(dirname(initdb), "postgres"), "-D", data, ...flags];
  const url = `postgres://portvakt:${password}@127.0.0.1:${port}/postgres`;
  return keepRunning({ command, folder, port, url, ready: /ready to accept connections/u });
}

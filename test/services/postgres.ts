// A throw-away PostgreSQL server, with a password as in production and without fsync.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { freePort, startGuarded } from "./guarded.ts";
import type { Guarded } from "./guarded.ts";
import type { Program } from "./programs.ts";

const execFileAsync = promisify(execFile);

export const postgres: Program = {
  title: "PostgreSQL",
  names: [],
  // initdb and postgres must be of one version, so the folder that has initdb is what we look for.
  places: [
    "/usr/lib/postgresql/*/bin/initdb",
    "/usr/pgsql-*/bin/initdb",
    "/opt/homebrew/opt/postgresql*/bin/initdb",
    "/usr/local/opt/postgresql*/bin/initdb",
    "/usr/{bin,local/bin,local/pgsql/bin}/initdb",
  ],
  aptPackage: "postgresql",
  advice:
    "install PostgreSQL 14 or later (Debian: apt install postgresql; macOS: brew install postgresql), or set PORTVAKT_TEST_POSTGRES_URL",
};

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: the account to run it as, or undefined when we are not root. */
async function accountForServer(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n");
  for (const name of ["postgres", "nobody"]) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(":");
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error("PostgreSQL needs an account that is not root: neither postgres nor nobody exists");
}

/** The command's beginning that makes PostgreSQL's programs run as an account that owns `folder`. */
async function asServerAccount(folder: string, files: readonly string[]): Promise<readonly string[]> {
  await chmod(folder, 0o700);
  const account = await accountForServer();
  if (!account) return [];
  for (const path of [folder, ...files]) await chown(path, account.uid, account.gid);
  return ["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "--"];
}

async function createDatabase(o: {
  initdb: string;
  folder: string;
  password: string;
}): Promise<readonly string[]> {
  const passwordFile = join(o.folder, "password");
  await writeFile(passwordFile, o.password, { mode: 0o600 });
  const prefix = await asServerAccount(o.folder, [passwordFile]);
  const options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"];
  const command = [...prefix, o.initdb, "--pgdata", join(o.folder, "data"), "--username=portvakt"];
  const [program = o.initdb, ...args] = [...command, "--pwfile", passwordFile, ...options];
  await execFileAsync(program, args, { cwd: o.folder });
  return prefix;
}

/** Starts a server with an empty database; the URL carries the password of a superuser. */
export async function startPostgres(initdb: string): Promise<{ url: string; server: Guarded }> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = await mkdtemp(join(tmpdir(), "portvakt-postgres-"));
    const password = randomBytes(12).toString("hex");
    const prefix = await createDatabase({ initdb, folder, password });
    const port = await freePort();
    const settings = {
      listen_addresses: "127.0.0.1",
      port: String(port),
      unix_socket_directories: folder,
      fsync: "off",
      full_page_writes: "off",
      synchronous_commit: "off",
      max_connections: "200",
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = [...prefix, join(dirname(initdb), "postgres"), "-D", join(folder, "data"), ...flags];
    try {
      const ready = /database system is ready to accept connections/u;
      const server = await startGuarded({ command, folder, ready, seconds: 60 });
      return { url: `postgres://portvakt:${password}@127.0.0.1:${port}/postgres`, server };
    } catch (error) {
      if (attempt === 3 || !String(error).includes("already in use")) throw error;
    }
  }
}

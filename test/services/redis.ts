// A throw-away Redis or Valkey server that writes nothing to disk.

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startGuarded } from "./guarded.ts";
import type { Guarded } from "./guarded.ts";
import type { Program } from "./programs.ts";

export const redis: Program = {
  title: "Redis or Valkey",
  names: ["valkey-server", "redis-server"],
  places: ["/opt/homebrew/bin/{valkey,redis}-server", "/usr/local/bin/{valkey,redis}-server"],
  aptPackage: "redis-server",
  advice:
    "install Valkey or Redis 7 or later (Debian: apt install redis-server; macOS: brew install valkey), or set PORTVAKT_TEST_REDIS_URL and PORTVAKT_TEST_REDIS_SERVER",
};

/** Starts an empty server on a free port of the loopback interface. */
export async function startRedis(program: string): Promise<{ url: string; server: Guarded }> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = await mkdtemp(join(tmpdir(), "portvakt-redis-"));
    const port = await freePort();
    const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const command = [program, ...settings, "--dir", folder];
    try {
      const server = await startGuarded({
        command,
        folder,
        ready: /ready to accept connections/iu,
        seconds: 20,
      });
      return { url: `redis://127.0.0.1:${port}`, server };
    } catch (error) {
      if (attempt === 3 || !String(error).includes("in use")) throw error;
    }
  }
}

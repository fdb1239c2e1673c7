import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { family, remaining } from "../demo/processes.ts";
import { startGuarded } from "./guarded.ts";

const serving = ["-e", "console.log('ready', process.pid); setInterval(() => {}, 1000)"];

test("a server under guard ends with its folder when it is stopped", async () => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-guarded-"));
  const server = await startGuarded({
    command: [process.execPath, ...serving],
    folder,
    ready: /ready/u,
    seconds: 10,
  });
  await server.stop();
  await assert.rejects(stat(folder), { code: "ENOENT" });
});

test("a server that ends while it starts is told with what it said", async () => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-guarded-"));
  const command = [process.execPath, "-e", "console.error('the port is taken'); process.exit(1)"];
  await assert.rejects(
    startGuarded({ command, folder, ready: /ready/u, seconds: 10 }),
    /ended: the port is taken/u,
  );
  await assert.rejects(stat(folder), { code: "ENOENT" });
});

test("kill -9 of whoever started it ends it too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-guarded-"));
  const script = `
    import { startGuarded } from ${JSON.stringify(new URL("guarded.ts", import.meta.url).href)};
    const command = ${JSON.stringify([process.execPath, ...serving])};
    await startGuarded({ command, folder: ${JSON.stringify(folder)}, ready: /ready/, seconds: 10 });
    console.log("up");
  `;
  const starter = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(starter.stdout, "data");
  const pids = (await family(starter.pid!)).map((row) => row.pid);
  assert.ok(pids.length >= 3, "the starter, the guard and the server");
  starter.kill("SIGKILL");
  assert.deepEqual(await remaining(pids, 10), []);
  await assert.rejects(stat(folder), { code: "ENOENT" });
});

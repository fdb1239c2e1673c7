import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NeverListened, supervise, type ProcessSpec, type Watcher } from "./process.ts";

const folder = await mkdtemp(join(tmpdir(), "portvakt-process-"));
after(() => rm(folder, { recursive: true, force: true }));

const listens = `process.send({ type: "listening" }); process.on("disconnect", () => process.exit(0)); setInterval(() => {}, 1000);`;

async function specOf(name: string, source: string): Promise<ProcessSpec> {
  const module = join(folder, `${name}.mjs`);
  await writeFile(module, source);
  return {
    name,
    title: `the process ${name}`,
    module,
    env: {},
    folder,
    logFile: join(folder, `${name}.log`),
  };
}

function silent(on: Partial<Watcher> = {}): Watcher {
  return { line: () => {}, died: () => {}, back: () => {}, ...on };
}

const now = (): number => 0;

test("a process listens when it says so, and ends when asked", async () => {
  const process = supervise(await specOf("plain", listens), silent(), now);
  await process.listening;
  await process.stop(5);
  assert.throws(() => globalThis.process.kill(process.pid ?? 0, 0), { code: "ESRCH" });
});

test("a process that is killed is named, and started again", async () => {
  const spec = await specOf("killed", listens);
  const told: string[] = [];
  const back = Promise.withResolvers<void>();
  const watcher = silent({
    died: (which, how, again) => void told.push(`${which.title} ${how} ${again}`),
    back: () => back.resolve(),
  });
  const process = supervise(spec, watcher, now);
  await process.listening;
  const before = process.pid;
  globalThis.process.kill(before ?? 0, "SIGKILL");
  await back.promise;
  assert.deepEqual(told, ["the process killed SIGKILL 0.25"]);
  assert.notEqual(process.pid, before);
  await process.stop(5);
});

test("wrong settings (exit code 2) are told at once, with what the process said, and nothing is started again", async () => {
  const source = `process.stderr.write("X is not set\\n"); process.exitCode = 2; process.disconnect();`;
  const process = supervise(await specOf("misset", source), silent(), now);
  await assert.rejects(process.listening, (error) => {
    assert.ok(error instanceof NeverListened);
    assert.match(error.message, /the process misset ended while starting: exit code 2/);
    assert.deepEqual(error.tail, ["X is not set"]);
    return true;
  });
  await process.stop(1);
});

test("everything that a process says is in its log, and only what matters is shown", async () => {
  const source = `console.log('{"level":"info","msg":"quiet"}'); console.log('{"level":"warn","msg":"loud"}'); ${listens}`;
  const shown: string[] = [];
  const warned = Promise.withResolvers<void>();
  const watcher = silent({
    line: (_spec, text) => {
      shown.push(text);
      warned.resolve();
    },
  });
  const spec = await specOf("talks", source);
  const process = supervise(spec, watcher, now);
  await process.listening;
  await warned.promise;
  await process.stop(5);
  assert.deepEqual(shown, ["loud"]);
  assert.match(await readFile(spec.logFile, "utf8"), /quiet[\s\S]*loud/);
});

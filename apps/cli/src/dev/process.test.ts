import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
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
  return { line: () => {}, note: () => {}, died: () => {}, back: () => {}, ...on };
}

const now = (): number => 0;

/** Settles when nobody has that number; the test's own time limit is the bound. */
async function isGone(pid: number): Promise<void> {
  try {
    for (;;) {
      globalThis.process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } catch {
    // nobody has
  }
}

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

test("a process whose output something independent of it holds open counts as ended all the same, and that is said", async () => {
  const independent = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"],
    { detached: true, stdio: "inherit" })`;
  const source = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);
    console.log(${independent}.pid); ${listens}`;
  const notes: string[] = [];
  const left = Promise.withResolvers<number>();
  const watcher = silent({
    line: (_spec, text) => left.resolve(Number(text)),
    note: (spec, sentence) => void notes.push(`${spec.title}: ${sentence}`),
  });
  const process = supervise({ ...(await specOf("leaves", source)), loud: true }, watcher, now);
  const pid = await left.promise;
  try {
    await process.listening;
    await process.stop(5);
    assert.deepEqual(notes, [
      "the process leaves: something that it started made itself independent of it; that is not ended here",
    ]);
  } finally {
    globalThis.process.kill(pid, "SIGKILL");
  }
});

test("when the keeper of a command is killed, the command goes too, and the keeper is started again", async () => {
  const command = ["-e", "console.log(process.pid); setInterval(() => {}, 1000)"];
  const spec: ProcessSpec = {
    ...(await specOf("kept", "")),
    module: fileURLToPath(new URL("./child/keeper.ts", import.meta.url)),
    argv: ["1", globalThis.process.execPath, ...command],
    loud: true,
  };
  let said = Promise.withResolvers<number>();
  const died = Promise.withResolvers<string>();
  const watcher = silent({
    line: (_spec, text) => said.resolve(Number(text)),
    died: (_spec, how, again) => died.resolve(`${how} ${again}`),
  });
  const process = supervise(spec, watcher, now);
  const first = await said.promise;
  said = Promise.withResolvers();
  globalThis.process.kill(process.pid ?? 0, "SIGKILL");
  assert.equal(await died.promise, "SIGKILL 0.25");
  await isGone(first);
  const second = await said.promise;
  await process.stop(5);
  await isGone(second);
});

test("a log that cannot be written is said once, and the process goes on without it", async () => {
  const source = `console.error("one"); console.error("two"); ${listens}`;
  const told: string[] = [];
  const noted = Promise.withResolvers<void>();
  const watcher = silent({
    line: (_spec, text) => void told.push(text),
    note: (_spec, sentence) => {
      told.push(sentence);
      noted.resolve();
    },
  });
  const process = supervise({ ...(await specOf("unlogged", source)), logFile: folder }, watcher, now);
  await Promise.all([process.listening, noted.promise]);
  await process.stop(5);
  assert.deepEqual(told.toSorted(), [
    `its log ends here, as ${folder} cannot be written: it is a folder`,
    "one",
    "two",
  ]);
});

test("what a process said last is told without stacks, in which the message gets lost", async () => {
  const source = `const error = new Error("the point");
    for (let n = 0; n < 20; n++) error.stack += "\\n    at frame" + n + " (file:///x.js:" + n + ":1)";
    throw error;`;
  const process = supervise({ ...(await specOf("deep", source)), triedOnce: true }, silent(), now);
  await assert.rejects(process.listening, (error) => {
    assert.ok(error instanceof NeverListened);
    assert.ok(error.tail.includes("Error: the point"), error.tail.join("\n"));
    return true;
  });
  await process.stop(1);
});

test("what is tried once only tells of its failing start once", async () => {
  const told: string[] = [];
  const watcher = silent({
    line: (_spec, text) => void told.push(text),
    died: () => void told.push("died"),
  });
  const process = supervise(
    { ...(await specOf("wrong", `console.error("no"); process.exit(1);`)), loud: true, triedOnce: true },
    watcher,
    now,
  );
  await assert.rejects(process.listening, /the process wrong ended while starting: exit code 1/);
  await process.stop(1);
  assert.deepEqual(told, ["no"]);
});

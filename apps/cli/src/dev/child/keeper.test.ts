import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const keeper = fileURLToPath(new URL("./keeper.ts", import.meta.url));
const stubborn = `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log(process.pid);`;
/** A command with a helper that pays no heed to SIGTERM; it ends itself, as npm does, when it is asked to, or at once. */
const command = (then: string): string[] => [
  process.execPath,
  "-e",
  `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}])
     .stdout.on("data", (line) => process.stdout.write(line, () => { ${then} }));`,
];

/** The keeper, and the process that its command started. */
async function keep(then: string): Promise<{ kept: ChildProcess; helper: number }> {
  const kept = fork(keeper, ["1", ...command(then)], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  assert.ok(kept.stdout);
  const [line] = (await once(createInterface({ input: kept.stdout }), "line")) as [string];
  return { kept, helper: Number(line) };
}

const isGone = (pid: number): void => assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });

test("told to end, it ends what its command started too, even what pays no heed to SIGTERM", async () => {
  const { kept, helper } = await keep("");
  kept.kill("SIGTERM");
  assert.deepEqual(await once(kept, "exit"), [0, null]);
  isGone(helper);
});

test("a command that ends by itself leaves nothing behind, and its exit code is the keeper's", async () => {
  const { kept, helper } = await keep("process.exit(7)");
  assert.deepEqual(await once(kept, "exit"), [7, null]);
  isGone(helper);
});

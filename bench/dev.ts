// How soon `portvakt dev` is up, and how soon an edited manifest is in force there; beside what is promised of both.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare, median } from "./rig/report.ts";
import type { Figure, Report } from "./rig/report.ts";

const command = fileURLToPath(new URL("../apps/cli/bin/portvakt.js", import.meta.url));
const [starts, edits] = [5, 10];
const [startLimit, editLimit] = [3, 1];

const head = "apiVersion: nais.io/v1alpha1\nkind: Application\n";
const tokenx = "  tokenx: { enabled: true }\n";
const front = `${head}metadata: { name: front, namespace: bench }\nspec:\n${tokenx}`;
const back = (caller: string): string =>
  `${head}metadata: { name: back, namespace: bench }\nspec:\n${tokenx}  accessPolicy: { inbound: { rules: [{ application: ${caller} }] } }\n`;

/** A platform on free ports, in a folder of its own. */
function startDev(folder: string, args: readonly string[]): { child: ChildProcess } & AsyncDisposable {
  const child = spawn(process.execPath, [command, "dev", "--port", "0", ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await gone;
  };
  return { child, [Symbol.asyncDispose]: stop };
}

/** Seconds from now until the platform says the words. */
async function secondsUntil(
  child: ChildProcess,
  stream: "stdout" | "stderr",
  words: string,
): Promise<number> {
  const began = performance.now();
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
    if (said.includes(words)) resolve((performance.now() - began) / 1000);
  };
  const ended = (): void => reject(new Error(`the platform ended without "${words}":\n${said}`));
  child[stream]?.on("data", hear);
  child.once("close", ended);
  try {
    return await promise;
  } finally {
    child[stream]?.off("data", hear);
    child.off("close", ended);
  }
}

/** Seconds that each start of the demo took; the first, which compiles, is told apart. */
async function timeStarts(folder: string): Promise<readonly number[]> {
  const seconds: number[] = [];
  while (seconds.length <= starts) {
    await using dev = startDev(folder, ["--demo"]);
    dev.child.stderr?.resume();
    seconds.push(await secondsUntil(dev.child, "stdout", "Portvakt is up"));
  }
  return seconds;
}

/** Seconds from a saved manifest to the line that says that it is in force, TokenX and stand-ins told. */
async function timeEdits(folder: string): Promise<readonly number[]> {
  const file = join(folder, "back.yaml");
  await writeFile(join(folder, "front.yaml"), front);
  await writeFile(file, back("nobody"));
  await using dev = startDev(folder, ["-f", "front.yaml", "-f", "back.yaml"]);
  await secondsUntil(dev.child, "stdout", "Portvakt is up");
  const seconds: number[] = [];
  for (let edit = 0; edit < edits; edit++) {
    const inForce = secondsUntil(dev.child, "stderr", "the manifests are in force");
    await writeFile(file, back(edit % 2 === 0 ? "front" : "nobody"));
    seconds.push(await inForce);
  }
  return seconds;
}

/** Starts of the demo and edits of a manifest, beside the 3 s and the 1 s that they may take. */
export async function benchDev(): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-bench-dev-"));
  try {
    const [first = Number.NaN, ...warm] = await timeStarts(folder);
    const edited = await timeEdits(folder);
    const perMinute = (seconds: readonly number[]): number => 60 / median(seconds);
    const limit = (seconds: number, what: string) => ({ name: `${seconds} s ${what}`, value: 60 / seconds });
    const milliseconds = (name: string, seconds: number): Figure => ({
      name,
      ours: Math.round(seconds * 1000),
      unit: "ms",
    });
    return {
      title: `portvakt dev: ${starts} starts of the demo, ${edits} edits of a manifest`,
      measured: [],
      figures: [
        milliseconds("a start, the first in this folder", first),
        milliseconds("a start, median", median(warm)),
        milliseconds("a start, the slowest", Math.max(...warm)),
        milliseconds("an edit in force, median", median(edited)),
        milliseconds("an edit in force, the slowest", Math.max(...edited)),
      ],
      notes: [],
      results: [
        compare("dev, start", perMinute(warm), limit(startLimit, "a start"), 1, "starts a minute"),
        compare("dev, edit", perMinute(edited), limit(editLimit, "an edit"), 1, "edits a minute"),
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

#!/usr/bin/env node
// The command. Plain JavaScript that any Node from 20 up understands: it finds the Node that this project brings
// (the package `node`) when the running one is too old, and starts src/main.ts with it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const neededMajor = 26;
const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, "..", "src", "main.ts");

/** The Node binary of the package `node`, or undefined where it is not installed. */
function broughtNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    const binary = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Where compiled code is kept between starts: beside the dependencies, so that `npm ci` empties it. */
function cacheFolder() {
  for (let folder = here; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(join(modules, "node"))) return join(modules, ".cache", "portvakt");
    if (dirname(folder) === folder) return join(here, "..", "node_modules", ".cache", "portvakt");
  }
}

// An IPC channel to the new process: when this one is killed, even by SIGKILL, the other sees the channel close.
function runWith(binary) {
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, PORTVAKT_LAUNCHED: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`could not start ${binary}: ${error.message}`));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 3);
  });
}

function fail(sentence) {
  process.stderr.write(
    `portvakt: ${sentence}\nhint: run \`npm ci\`, which brings Node ${neededMajor} with the project\n`,
  );
  process.exitCode = 3;
}

const running = Number(process.versions.node.split(".")[0]);
if (running >= neededMajor) {
  nodeModule.enableCompileCache?.(cacheFolder());
  await import(main);
} else {
  const binary = broughtNode();
  if (binary !== undefined && process.env.PORTVAKT_LAUNCHED !== "1") runWith(binary);
  else fail(`this is Node ${process.versions.node}, and Node ${neededMajor} is needed`);
}

// Checks that are programs of their own: the compiler, the linter, the formatter, the finder of unused code.

import { execFile } from "node:child_process";
import { promisify, stripVTControlCharacters } from "node:util";
import { root } from "./tree.ts";

const execFileAsync = promisify(execFile);

/** Runs a program of node_modules/.bin; what it printed when it failed, else undefined. */
export async function failureOf(program: string, args: readonly string[]): Promise<string | undefined> {
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: "1" } };
  try {
    await execFileAsync(`node_modules/.bin/${program}`, args, options);
    return undefined;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const printed = stripVTControlCharacters(`${stdout}\n${stderr}`).trim();
    return printed === "" ? String(error) : printed;
  }
}

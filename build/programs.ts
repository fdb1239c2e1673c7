import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { root } from "./manifest.ts";

/** Runs a program of the repository to its end, and gives what it wrote. *Throws* with all of that when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { cwd = root, env = process.env } = options;
  const path = [resolve(root, "node_modules/.bin"), env["PATH"]].join(delimiter);
  const child = spawn(program, args, { cwd, env: { ...env, PATH: path }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let written = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    written += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const { promise, resolve: end, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject);
  child.on("close", end);
  const code = await promise;
  if (code !== 0) throw new Error(`${[program, ...args].join(" ")} failed (${code}):\n${said.trim()}`);
  return written;
}

import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { root } from "./manifest.ts";

/** An environment in which the repository's programs are found first. */
export function withPrograms(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...env, PATH: [resolve(root, "node_modules/.bin"), env["PATH"]].join(delimiter) };
}

/** Runs a program of the repository to its end, and gives what it wrote. *Throws* with all of that when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { cwd = root, env } = options;
  const child = spawn(program, args, { cwd, env: withPrograms(env), stdio: ["ignore", "pipe", "pipe"] });
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

// What must not stand in the tree: addresses of package registries (the lock file would pin one), and paths of the
// machine that somebody worked on.

import { filesOf, textOf } from "./tree.ts";

const binary = /\.(?:png|jpe?g|gif|ico|woff2?|gz|wasm)$/iu;

// Host names are put together here, so that this file passes its own check.
const registries = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["npmjs", "com"],
  ["deb", "debian", "org"],
  ["archive", "ubuntu", "com"],
  ["proxy", "golang", "org"],
  ["pypi", "org"],
].map((labels) => labels.join("."));

const machinePath = /(?<![\w.:/-])\/(?:work|root|home|Users)\/[\w.-]+|(?<![\w.-])\/tmp\/pv\b/u;

/** The first thing on a line that must not be there, or undefined. */
export function forbiddenIn(line: string): string | undefined {
  return registries.find((host) => line.includes(host)) ?? machinePath.exec(line)?.[0];
}

/** Lines of the tree that say what they must not, as `file:line: what`. */
export async function forbiddenWords(): Promise<string[]> {
  const files = [...(await filesOf("**/*")), ...(await filesOf("**/.*")), ...(await filesOf(".ci/*"))];
  const problems: string[] = [];
  for (const file of new Set(files)) {
    if (binary.test(file)) continue;
    for (const [index, line] of (await textOf(file)).split("\n").entries()) {
      const word = forbiddenIn(line);
      if (word !== undefined) problems.push(`${file}:${index + 1}: ${word}`);
    }
  }
  return problems;
}

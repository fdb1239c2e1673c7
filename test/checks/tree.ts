// The files that the checks look at: everything that is ours, as it lies in the work tree.

import { glob, readFile } from "node:fs/promises";
import { resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

const notOurs = new Set(["node_modules", "dist", ".git", ".portvakt", ".cache"]);

/** Paths from the root of the files that match a glob pattern, sorted; hidden folders are matched only by name. */
export async function filesOf(pattern: string): Promise<string[]> {
  const found = glob(pattern, {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => notOurs.has(entry.name),
  });
  const paths: string[] = [];
  for await (const entry of found) {
    if (entry.isFile()) paths.push(resolve(entry.parentPath, entry.name).slice(root.length + 1));
  }
  return paths.toSorted();
}

/** A file of the tree as text. */
export async function textOf(file: string): Promise<string> {
  return readFile(resolve(root, file), "utf8");
}

// Which test files run, and which of them share a process.

import { glob } from "node:fs/promises";
import { sep } from "node:path";

/** Test files that run in one process. */
export interface Job {
  readonly title: string;
  readonly files: readonly string[];
}

// A process per file costs about 80 ms before the first import. These rooms have no server, no process state and no
// environment, so the files of one such room share a process.
const roomsOfPureFunctions = [
  "packages/oauth",
  "packages/issuer",
  "packages/providers",
  "packages/policy",
  "packages/sdk",
];

/** All test files of the tree, as paths from the root with forward slashes, sorted. */
export async function findTestFiles(root: string): Promise<string[]> {
  const found = await Array.fromAsync(
    glob("{packages,apps,examples,conformance,bench,chaos,docs,test,build}/**/*.test.ts", {
      cwd: root,
      exclude: (name) => name === "node_modules" || name === "dist",
    }),
  );
  return found.map((file) => file.split(sep).join("/")).toSorted();
}

/** Groups files into jobs; slow whole flows (browser, peers, `test/` folders) come first, so that none is left for the end. */
export function planJobs(files: readonly string[]): Job[] {
  const jobs: Job[] = [];
  const taken = new Set<string>();
  for (const room of roomsOfPureFunctions) {
    const together = files.filter((file) => file.startsWith(`${room}/`));
    if (together.length > 1) jobs.push({ title: room, files: together });
    if (together.length > 1) for (const file of together) taken.add(file);
  }
  for (const file of files) if (!taken.has(file)) jobs.push({ title: file, files: [file] });
  const isFlow = (job: Job): boolean => job.title.split("/").includes("test");
  return [...jobs.filter(isFlow), ...jobs.filter((job) => !isFlow(job))];
}

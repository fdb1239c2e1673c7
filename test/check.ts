// `npm run check`: everything that can be said about the code without running it.
// `npm run check -- lint types` runs the named checks only.
//
// Owns: the list of checks, and what they print. Does not own: the import directions and room headers, which are
// tests (architecture.test.ts), so that `npm test` has them too.

import { brokenLinks } from "./checks/links.ts";
import { missingFromLock } from "./checks/lock.ts";
import { failureOf } from "./checks/programs.ts";
import { forbiddenWords } from "./checks/words.ts";

interface Check {
  readonly name: string;
  readonly says: string;
  /** What is wrong, or undefined. */
  run(): Promise<string | undefined>;
}

const lines = (problems: readonly string[]): string | undefined =>
  problems.length > 0 ? problems.join("\n") : undefined;

const checks: readonly Check[] = [
  {
    name: "types",
    says: "the whole tree compiles",
    run: async () => failureOf("tsc", ["--noEmit", "-p", "."]),
  },
  {
    name: "browser-types",
    says: "packages/oauth compiles without Node's types",
    run: async () => failureOf("tsc", ["--noEmit", "-p", "packages/oauth"]),
  },
  { name: "lint", says: "oxlint, with types", run: async () => failureOf("oxlint", ["--type-aware"]) },
  { name: "format", says: "oxfmt", run: async () => failureOf("oxfmt", ["--check"]) },
  {
    name: "unused",
    says: "no unused file, export or dependency",
    run: async () => failureOf("knip", ["--no-progress"]),
  },
  {
    name: "docs",
    says: "generated documents are up to date",
    run: async () => failureOf("node", ["docs/generate.ts", "--check"]),
  },
  { name: "links", says: "links between documents resolve", run: async () => lines(await brokenLinks()) },
  {
    name: "lock",
    says: "the lock file is whole, so that npm ci takes it",
    run: async () => lines(await missingFromLock()),
  },
  {
    name: "words",
    says: "no registry host and no machine's path in the tree",
    run: async () => lines(await forbiddenWords()),
  },
];

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    console.error(
      `no such check: ${unknown.join(", ")} (there are: ${checks.map((c) => c.name).join(", ")})`,
    );
    return 2;
  }
  let failed = 0;
  for (const check of checks) {
    if (names.length > 0 && !names.includes(check.name)) continue;
    const started = performance.now();
    const problem = await check.run();
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    console.log(
      `${problem === undefined ? "✔" : "✖"} ${check.name.padEnd(14)} ${seconds.padStart(6)} s  ${check.says}`,
    );
    if (problem === undefined) continue;
    failed += 1;
    console.log(problem.replaceAll(/^/gmu, "    "));
  }
  console.log(failed === 0 ? "all checks passed" : `${failed} of the checks failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

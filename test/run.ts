// `npm test`: starts the real servers that tests use, runs every test file of the tree, and ends with the count.
//
// `npm test -- login` runs the files whose path contains "login", and prints each test;
// several words run the files that match any of them.
//
// Owns: which files run, in how many processes, and what counts as failed. Does not own: the tests.
// Request path: plan -> services -> execute (a process per job, a few at a time) -> report

import { glob, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { execute } from "./runner/execute.ts";
import type { Finding } from "./runner/execute.ts";
import { findTestFiles, planJobs } from "./runner/plan.ts";
import type { Job } from "./runner/plan.ts";
import { reportEnd, reportJob } from "./runner/report.ts";
import { services, startServices } from "./services/index.ts";

const root = resolve(import.meta.dirname, "..");
const limitSecondsPerJob = 240;

/** The services whose variable the sources around these test files read. */
async function servicesFor(files: readonly string[]): Promise<typeof services> {
  const rooms = new Set(
    files.map((file) =>
      file
        .split("/")
        .slice(0, file.startsWith("test/") ? 1 : 2)
        .join("/"),
    ),
  );
  const folders = [...rooms].map((room) => (room.endsWith(".ts") ? dirname(room) : room));
  const texts: string[] = [];
  for (const folder of new Set(folders)) {
    const sources = glob(`${folder}/**/*.ts`, { cwd: root, exclude: (name) => name === "node_modules" });
    for await (const source of sources) texts.push(await readFile(resolve(root, source), "utf8"));
  }
  return services.filter((service) => texts.some((text) => text.includes(service.variable)));
}

async function runJobs(jobs: readonly Job[], verbose: boolean, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  const queue = jobs.values();
  const work = async (): Promise<void> => {
    for (const job of queue) {
      if (signal.aborted) return;
      const result = await execute({ root, job, limitSeconds: limitSecondsPerJob, signal });
      if (signal.aborted) return;
      reportJob(job, result, verbose);
      findings.push(...result.findings);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  return findings;
}

async function main(words: readonly string[]): Promise<number> {
  const started = performance.now();
  const all = await findTestFiles(root);
  const files = words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
  if (files.length === 0) {
    console.error(`no test file's path contains ${words.join(" or ")}`);
    return 1;
  }
  const wanted = words.length === 0 ? services : await servicesFor(files);
  const running = await startServices(wanted, process.env, console.log).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
  });
  if (!running) return 1;
  Object.assign(process.env, running.variables);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  try {
    const findings = await runJobs(planJobs(files), words.length > 0, stopping.signal);
    if (stopping.signal.aborted) {
      console.error("interrupted");
      return 130;
    }
    reportEnd(findings, (performance.now() - started) / 1000);
    return findings.some((finding) => finding.outcome === "failed") ? 1 : 0;
  } finally {
    await running.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));

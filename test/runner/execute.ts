// Runs one job with node's test runner and turns its events into results.

import { relative, resolve } from "node:path";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import type { Job } from "./plan.ts";

/** One thing to report of a job. */
export interface Finding {
  readonly outcome: "passed" | "failed" | "skipped";
  /** The test's name with the names of its suites before it. */
  readonly name: string;
  readonly file: string;
  readonly seconds: number;
  /** Why it was skipped, or what went wrong. */
  readonly detail?: string;
}

/** What came of a job. */
export interface JobResult {
  readonly findings: readonly Finding[];
  readonly seconds: number;
  /** What the tests printed, its end only. */
  readonly output: string;
}

const outputLimit = 20_000;
const together = resolve(import.meta.dirname, "together.ts");

type Ended = Extract<TestEvent, { type: "test:pass" | "test:fail" }>["data"];

/** Reads the events of one job; node sends each file's events in the order in which its tests were written. */
class JobReader {
  readonly findings: Finding[] = [];
  output = "";
  readonly root: string;
  readonly files: readonly string[];
  readonly title: string;
  /** Failures that node reports beside any test: asynchronous activity after a test's end. */
  #stray: string[] = [];
  /** Ended tests whose suites have not ended yet: node reports children first. */
  #waiting: { nesting: number; finding: Finding }[] = [];

  constructor(root: string, files: readonly string[], title: string) {
    this.root = root;
    this.files = files;
    this.title = title;
  }

  read(event: TestEvent): void {
    if (event.type === "test:stdout" || event.type === "test:stderr") {
      this.output = (this.output + event.data.message).slice(-outputLimit);
    } else if (event.type === "test:diagnostic" && event.data.file !== undefined) {
      this.#stray.push(event.data.message);
    } else if (event.type === "test:pass" || event.type === "test:fail") {
      this.#end(event.data, event.type === "test:pass");
    }
  }

  #end(data: Ended, passed: boolean): void {
    const children = this.#takeChildren(data);
    const isFile = data.nesting === 0 && (this.files.includes(data.name) || data.name === together);
    for (const child of children) {
      const name = isFile ? child.name : `${data.name} › ${child.name}`;
      this.#keep(data.nesting, { ...child, name });
    }
    const own = this.#own({ data, passed, isFile, hadChildren: children.length > 0 });
    if (own) this.#keep(data.nesting, own);
  }

  /** A suite's own line says nothing that its tests do not, unless a hook of it failed. */
  #own(o: { data: Ended; passed: boolean; isFile: boolean; hadChildren: boolean }): Finding | undefined {
    const { data } = o;
    const file = o.isFile ? data.name : (data.file ?? "");
    const finding = (outcome: Finding["outcome"], detail?: string): Finding => ({
      outcome,
      name: o.isFile ? "the file" : data.name,
      file: file === together ? this.title : relative(this.root, file),
      seconds: data.details.duration_ms / 1000,
      ...(detail === undefined ? {} : { detail }),
    });
    if (data.skip !== undefined || data.todo !== undefined) {
      return finding("skipped", String(data.skip ?? data.todo));
    }
    const error = "error" in data.details ? data.details.error : undefined;
    const failure = (error as { failureType?: string } | undefined)?.failureType;
    if (!o.passed && failure === "subtestsFailed") return undefined;
    if (!o.passed) return finding("failed", [describeError(error), ...this.#stray.splice(0)].join("\n"));
    // Of a file that stands alone, node speaks only when it failed or held nothing.
    if (o.isFile && data.name !== together && !o.hadChildren) return finding("failed", "registers no test");
    return o.isFile || data.details.type === "suite" ? undefined : finding("passed");
  }

  #takeChildren(data: Ended): Finding[] {
    const children = this.#waiting.filter((one) => one.nesting > data.nesting).map((one) => one.finding);
    this.#waiting = this.#waiting.filter((one) => one.nesting <= data.nesting);
    return children;
  }

  #keep(nesting: number, finding: Finding): void {
    if (nesting === 0) this.findings.push(finding);
    else this.#waiting.push({ nesting, finding });
  }

  /** What is left when the process ended before its suites did; and nothing at all is no success. */
  finish(): void {
    this.findings.push(...this.#waiting.map((one) => one.finding));
    if (this.findings.length > 0) return;
    const finding = { name: "the job", file: this.title, seconds: 0 } as const;
    this.findings.push({ ...finding, outcome: "failed", detail: "ran no test" });
  }
}

function describeError(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.stack ?? cause.message;
}

/**
 * Runs a job in a child process. The job is ended, and counts as failed, after `limitSeconds`, so that a test that
 * leaves a server open cannot hold the run.
 */
export async function execute(o: {
  root: string;
  job: Job;
  limitSeconds: number;
  signal: AbortSignal;
}): Promise<JobResult> {
  const files = o.job.files.map((file) => resolve(o.root, file));
  const reader = new JobReader(o.root, files, o.job.title);
  const started = performance.now();
  const limit = AbortSignal.timeout(o.limitSeconds * 1000);
  const shared = files.length > 1;
  const events = run({
    files: shared ? [together] : files,
    argv: shared ? files : [],
    isolation: "process",
    signal: AbortSignal.any([limit, o.signal]),
    cwd: o.root,
  });
  for await (const event of events) reader.read(event as TestEvent);
  reader.finish();
  return {
    findings: reader.findings,
    seconds: (performance.now() - started) / 1000,
    output: reader.output,
  };
}

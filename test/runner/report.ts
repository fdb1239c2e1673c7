// What a run prints.

import type { Finding, JobResult } from "./execute.ts";
import type { Job } from "./plan.ts";

const colours = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
const paint = (code: number, text: string): string => (colours ? `\u001B[${code}m${text}\u001B[0m` : text);
const marks = { passed: paint(32, "✔"), failed: paint(31, "✖"), skipped: paint(33, "﹣") };

function indent(text: string, by: string): string {
  return text
    .split("\n")
    .map((line) => by + line)
    .join("\n");
}

const seconds = (value: number): string => paint(90, `${value.toFixed(2)} s`);

/** One line for a job, or one for each of its tests when `verbose`; failures always in full. */
export function reportJob(job: Job, result: JobResult, verbose: boolean): void {
  const count = (outcome: Finding["outcome"]): number =>
    result.findings.filter((finding) => finding.outcome === outcome).length;
  const failed = count("failed");
  const skipped = count("skipped");
  const tail = [
    `${count("passed")} passed`,
    failed ? `${failed} failed` : "",
    skipped ? `${skipped} skipped` : "",
  ];
  const mark = failed > 0 ? marks.failed : marks.passed;
  console.log(
    `${mark} ${job.title}  ${tail.filter((part) => part !== "").join(", ")}  ${seconds(result.seconds)}`,
  );
  for (const finding of result.findings) {
    if (finding.outcome === "passed" && !verbose) continue;
    const reason = finding.outcome === "skipped" ? `  (${finding.detail ?? ""})` : "";
    console.log(`    ${marks[finding.outcome]} ${finding.name}${reason}  ${seconds(finding.seconds)}`);
    if (finding.outcome === "failed") console.log(indent(finding.detail ?? "", "        "));
  }
  if (failed > 0 && result.output.trim() !== "") {
    console.log(`    it printed:\n${indent(result.output.trimEnd(), "      | ")}`);
  }
}

/** Failures once more, so that they stand together, and the closing line. */
export function reportEnd(findings: readonly Finding[], elapsedSeconds: number): void {
  const of = (outcome: Finding["outcome"]): Finding[] =>
    findings.filter((finding) => finding.outcome === outcome);
  const failures = of("failed");
  if (failures.length > 0) console.log("\nfailed:");
  for (const { file, name } of failures) console.log(`  ${marks.failed} ${file}: ${name}`);
  console.log(`\n${elapsedSeconds.toFixed(1)} s`);
  console.log(`${of("passed").length} passed, ${failures.length} failed, ${of("skipped").length} skipped`);
}

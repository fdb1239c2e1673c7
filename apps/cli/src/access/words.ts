import { ways, type Call, type Fix, type Hindrance } from "@portvakt/policy";
import type { Terminal } from "../terminal.ts";

const indent = " ".repeat(6);

/** One way of one call, as lines: yes or no, and why. */
export function callLine(call: Call, { paint }: Pick<Terminal, "paint">): string {
  const { title, provider } = ways[call.way];
  const verdict = call.outcome === "allow" ? paint("green", "yes") : paint("red", "no ");
  return `${verdict}   ${title}, by ${provider}`;
}

/** A hindrance as lines below the answer; `said` is a sentence that stands above already. */
export function hindranceLines(
  { sentence, owner, advice, fix }: Hindrance,
  { paint }: Pick<Terminal, "paint">,
  said?: string,
): string[] {
  return [
    ...(sentence === said ? [] : [`${indent}${sentence}`]),
    `${indent}${paint("dim", `whose move: ${owner}`)}`,
    ...(fix === undefined ? (advice === undefined ? [] : [`${indent}${advice}`]) : fixLines(fix)),
  ];
}

/** The manifest lines that mend something, and where they belong. */
function fixLines(fix: Fix): string[] {
  const place =
    fix.file === undefined
      ? "the target's manifest"
      : `${fix.file}${fix.line === undefined ? "" : `:${fix.line}`}`;
  return [`${indent}Add to ${place}`, "", ...fix.yaml.split("\n").map((line) => `${indent}  ${line}`), ""];
}

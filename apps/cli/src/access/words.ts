import { decisionReasons, ways, type Call, type Fix, type Owner } from "@portvakt/policy";
import type { Terminal } from "../terminal.ts";

const indent = " ".repeat(6);

/** One way of one call, as lines: yes or no, and why. */
export function callLine(call: Call, { paint }: Pick<Terminal, "paint">): string {
  const { title, provider } = ways[call.way];
  const verdict = call.outcome === "allow" ? paint("green", "yes") : paint("red", "no ");
  return `${verdict}   ${title}, by ${provider}`;
}

/** Everything that stands in the way of a call: sentence, whose move it is, and the manifest lines that mend it. */
export interface Hindrance {
  readonly code: string;
  readonly sentence: string;
  readonly owner: Owner;
  readonly advice: string | undefined;
  readonly fix: Fix | undefined;
}

/** What hinders a call, the policy first. Nothing when it is allowed. */
export function hindrances(call: Call): readonly Hindrance[] {
  const { decision, obstacles } = call;
  const refused =
    decision.outcome === "allow"
      ? []
      : [
          {
            code: decision.reason,
            sentence: decision.explanation,
            owner: decision.owner,
            advice: decisionReasons[decision.reason].fix,
            fix: decision.fix,
          },
        ];
  return [
    ...refused,
    ...obstacles.map(({ code, explanation, owner, fix }) => ({
      code,
      sentence: explanation,
      owner,
      advice: undefined,
      fix,
    })),
  ];
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

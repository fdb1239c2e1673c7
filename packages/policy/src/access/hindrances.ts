import type { Fix } from "../fix.ts";
import { decisionReasons } from "../reasons.ts";
import type { Owner } from "../reasons.ts";
import type { Call } from "./call.ts";

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

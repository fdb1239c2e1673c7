/** Whose move it is after a decision. */
export type Owner = "nobody" | "the target's team" | "the caller's team";

interface Reason {
  readonly outcome: "allow" | "deny";
  /** The sentence for people; `{name}` is filled in from the facts of the decision. */
  readonly explanation: string;
  readonly owner: Owner;
  /** What to do, in general; a decision carries the patch itself. */
  readonly fix: string;
}

/** Every reason that a decision can have. One row each; nothing else decides. */
export const decisionReasons = {
  admitted_by_rule: {
    outcome: "allow",
    explanation: "{actor} may call {target}: {rule} admits it.",
    owner: "nobody",
    fix: "Nothing to do.",
  },
  admitted_by_wildcard: {
    outcome: "allow",
    explanation: "{actor} may call {target}: {rule} admits it through a *, as it admits others.",
    owner: "nobody",
    fix: "Nothing to do. To narrow it, name the callers instead of *.",
  },
  malformed_actor: {
    outcome: "deny",
    explanation:
      "The caller's name {actor} is not of the form cluster:namespace:name, so no rule can admit it.",
    owner: "the caller's team",
    fix: "Use the caller's full name, cluster:namespace:name.",
  },
  malformed_target: {
    outcome: "deny",
    explanation: "The target {target} is not of the form cluster:namespace:name.",
    owner: "the caller's team",
    fix: "Use the target's full name, cluster:namespace:name.",
  },
  unknown_target: {
    outcome: "deny",
    explanation: "There is no application {target} here.{suggestion}",
    owner: "the caller's team",
    fix: "Check the target's cluster, namespace and name; if it is new, its manifest has not been applied.",
  },
  no_inbound_rules: {
    outcome: "deny",
    explanation: "{target} admits no callers: its manifest has no inbound rules. {actor} needs one.",
    owner: "the target's team",
    fix: "Add an inbound rule for the caller to the target's manifest.",
  },
  no_rule: {
    outcome: "deny",
    explanation: "{target} does not admit {actor}: none of its inbound rules names it.",
    owner: "the target's team",
    fix: "Add an inbound rule for the caller to the target's manifest.",
  },
  other_namespace: {
    outcome: "deny",
    explanation:
      "{target} does not admit {actor}: {rule} admits an application of that name, but in namespace {found}, not {wanted}.",
    owner: "the target's team",
    fix: "Add the caller's namespace to the rule; a rule without one means the target's own namespace.",
  },
  other_cluster: {
    outcome: "deny",
    explanation:
      "{target} does not admit {actor}: {rule} admits an application of that name, but in cluster {found}, not {wanted}.",
    owner: "the target's team",
    fix: "Add the caller's cluster to the rule; a rule without one means the target's own cluster.",
  },
  scope_not_granted: {
    outcome: "deny",
    explanation: "{target} admits {actor}, but not with the scope {missing}: {rule} does not grant it.",
    owner: "the target's team",
    fix: "Add the scope to permissions.scopes of the rule, or ask without it.",
  },
  user_not_assigned: {
    outcome: "deny",
    explanation:
      "{target} admits {actor}, but not this user: only direct members of the groups in its manifest may use it.",
    owner: "the target's team",
    fix: "Add one of the user's groups under azure.application.claims.groups, or set allowAllUsers.",
  },
} as const satisfies Record<string, Reason>;

/** The code of a reason. */
export type DecisionReason = keyof typeof decisionReasons;

/** What the sentences speak of. */
export interface Facts {
  readonly actor: string;
  readonly target: string;
  readonly rule?: string;
  readonly found?: string;
  readonly wanted?: string;
  readonly missing?: string;
  readonly suggestion?: string;
}

// Cut apart once: a decision only joins the pieces. Odd places hold the names of facts.
const pieces = Object.fromEntries(
  Object.entries(decisionReasons).map(([code, { explanation }]) => [code, explanation.split(/[{}]/)]),
) as Record<string, readonly string[]> as Readonly<Record<DecisionReason, readonly string[]>>;

/** The sentence for `reason`, with the facts filled in. Names from outside are cut to 200 characters. */
export function explain(reason: DecisionReason, facts: Facts): string {
  const sentence = pieces[reason];
  let words = sentence[0] ?? "";
  for (let index = 1; index < sentence.length; index += 2) {
    words += cut(facts[sentence[index] as keyof Facts]) + (sentence[index + 1] ?? "");
  }
  return words;
}

function cut(fact = ""): string {
  return fact.length > 200 ? fact.slice(0, 200) : fact;
}

import type { grantTypes } from "@portvakt/oauth";
import { parseApplicationId } from "./application.ts";
import type { ApplicationId, InboundRule, SourceLine } from "./application.ts";
import { accessPatch, scopePatch, userPatch } from "./fix.ts";
import type { Fix } from "./fix.ts";
import { admissionFor } from "./policy.ts";
import type { Admission, Policy, Target } from "./policy.ts";
import { decisionReasons, explain } from "./reasons.ts";
import type { DecisionReason, Facts, Owner } from "./reasons.ts";

/** May `actor` have a token for `target`? */
export interface Question {
  /** The calling application, `cluster:namespace:name`, authenticated already. */
  readonly actor: string;
  readonly target: string;
  /** The grant's wire name. */
  readonly grant: string;
  /** Claims of the user the call is for, where there is one. */
  readonly subject?: Readonly<Record<string, unknown>> | undefined;
  /** Scopes asked for; `.default` asks for whatever the rules give. */
  readonly scope?: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
  /** The id that the decision shall have; left out: the policy makes one. */
  readonly id?: string | undefined;
}

/** The answer, and everything that a person needs to understand it. */
export type Decision = {
  readonly id: string;
  readonly outcome: "allow" | "deny";
  readonly reason: DecisionReason;
  readonly actor: string;
  readonly target: string;
  readonly grant: string;
  /** When it was decided: seconds since the epoch. */
  readonly at: number;
  /** The line of the rule that decided, or that came nearest. */
  readonly rule?: SourceLine | undefined;
  /** What the rules give the caller; empty when denied. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly explanation: string;
  /** Whose move it is. */
  readonly owner: Owner;
  /** What would change a denial. */
  readonly fix?: Fix | undefined;
};

const nothing: readonly string[] = Object.freeze([]);

/**
 * Decides by the target's inbound rules whether the actor may have a token for it: deny unless a rule admits. Pure, but
 * for the id. Adding a rule never takes access away from anybody.
 *
 * *Checks*: the forms of both names, the rules, the scopes asked for, and for on-behalf-of (RFC 7523 jwt-bearer) that
 * the user may use the target, where the target says so. *Does not check*: who the actor is, or the subject token.
 */
export function decide(policy: Policy, question: Question): Decision {
  const { actor, target: targetId } = question;
  const target = policy.target(targetId);
  if (target === undefined) return decideWithoutTarget(policy, question);
  let admission = target.wild.length === 0 ? target.exact.get(actor) : undefined;
  if (admission === undefined) {
    const parsed = parseApplicationId(actor);
    if (parsed === undefined) return denial(policy, question, () => ({ reason: "malformed_actor" }));
    admission = admissionFor(target, actor, parsed);
    if (admission === undefined) return denial(policy, question, () => withoutRule(target, parsed));
  }
  const { rule, scopes } = admission;
  const missing = missingScope(question.scope, admission);
  if (missing !== undefined) {
    const patch = (): Fix | undefined => {
      const caller = parseApplicationId(actor);
      return caller && scopePatch(caller, target, [...scopes, missing]);
    };
    return denial(policy, question, () => ({ reason: "scope_not_granted", facts: { missing }, rule, patch }));
  }
  if (!userAdmitted(question, target)) {
    const patch = (): Fix => userPatch(target, firstGroup(question.subject));
    return denial(policy, question, () => ({ reason: "user_not_assigned", rule, patch }));
  }
  return allowance(policy, question, admission);
}

function decideWithoutTarget(policy: Policy, question: Question): Decision {
  return denial(policy, question, () => {
    if (parseApplicationId(question.target) === undefined) return { reason: "malformed_target" };
    const similar = policy.similar(question.target);
    const suggestion = similar === undefined ? "" : ` Did you mean ${similar}?`;
    return { reason: "unknown_target", facts: { suggestion } };
  });
}

function withoutRule(target: Target, actor: ApplicationId): Because {
  const patch = (): Fix => accessPatch(actor, target);
  if (target.application.inbound.length === 0) return { reason: "no_inbound_rules", patch };
  const namesake = target.namesake(actor.name);
  if (namesake === undefined) return { reason: "no_rule", patch };
  const [reason, facts] = difference(namesake, actor);
  return { reason, facts, rule: namesake.source, patch };
}

function difference(rule: InboundRule, actor: ApplicationId): [DecisionReason, Partial<Facts>] {
  if (rule.namespace !== "*" && rule.namespace !== actor.namespace) {
    return ["other_namespace", { found: rule.namespace, wanted: actor.namespace }];
  }
  return ["other_cluster", { found: rule.cluster, wanted: actor.cluster }];
}

/** The on-behalf-of grant: the one that brings an employee. */
const onBehalfOf: typeof grantTypes.jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Entra's names for "all that I was granted" and for the scope that every admitted caller has. */
const impliedScopes: ReadonlySet<string> = new Set([".default", "defaultaccess"]);

function missingScope(asked: readonly string[] | undefined, admission: Admission): string | undefined {
  if (asked === undefined) return undefined;
  return asked
    .map((scope) => (scope.startsWith("api://") ? scope.slice(scope.indexOf("/", 6) + 1) : scope))
    .find((scope) => !impliedScopes.has(scope) && !admission.scopes.includes(scope));
}

function userAdmitted(question: Question, target: Target): boolean {
  const { azure } = target.application;
  if (question.grant !== onBehalfOf || question.subject === undefined) return true;
  if (azure === undefined || azure.enabled === false || azure.allowAllUsers) return true;
  const groups = question.subject["groups"];
  return Array.isArray(groups) && azure.groups.some((group) => groups.includes(group));
}

function firstGroup(subject: Question["subject"]): string | undefined {
  const groups = subject?.["groups"];
  const first: unknown = Array.isArray(groups) ? groups[0] : undefined;
  return typeof first === "string" && first.length <= 100 ? first : undefined;
}

function allowance(policy: Policy, question: Question, admission: Admission): Decision {
  const reason = admission.wildcard ? "admitted_by_wildcard" : "admitted_by_rule";
  const { actor, target, grant, now } = question;
  return {
    id: question.id ?? policy.newDecisionId(),
    outcome: "allow",
    reason,
    actor,
    target,
    grant,
    at: now,
    ...(admission.rule && { rule: admission.rule }),
    roles: admission.roles,
    scopes: admission.scopes,
    explanation: explain(reason, { actor, target, rule: placeOf(admission.rule) }),
    owner: decisionReasons[reason].owner,
  };
}

/** Why a denial is one, and what would change it. */
interface Because {
  readonly reason: DecisionReason;
  readonly facts?: Partial<Facts>;
  readonly rule?: SourceLine | undefined;
  readonly patch?: () => Fix | undefined;
}

/**
 * A denial. Most are answered and forgotten, so that the reason, the sentence and the patch are looked for when somebody
 * reads them; JSON has them all.
 */
class Denial implements Decision {
  readonly id: string;
  readonly outcome = "deny" as const;
  readonly actor: string;
  readonly target: string;
  readonly grant: string;
  readonly at: number;
  readonly roles = nothing;
  readonly scopes = nothing;
  readonly #find: () => Because;
  #found: Because | undefined;

  constructor(id: string, { actor, target, grant, now }: Question, find: () => Because) {
    this.id = id;
    this.actor = actor;
    this.target = target;
    this.grant = grant;
    this.at = now;
    this.#find = find;
  }

  get #because(): Because {
    this.#found ??= this.#find();
    return this.#found;
  }

  get reason(): DecisionReason {
    return this.#because.reason;
  }

  get rule(): SourceLine | undefined {
    return this.#because.rule;
  }

  get owner(): Owner {
    return decisionReasons[this.reason].owner;
  }

  get explanation(): string {
    const { actor, target } = this;
    const { reason, rule, facts } = this.#because;
    return explain(reason, { actor, target, rule: placeOf(rule), ...facts });
  }

  get fix(): Fix | undefined {
    return this.#because.patch?.();
  }

  toJSON(): Decision {
    const { reason, rule, owner, explanation, fix } = this;
    const { id, outcome, actor, target, grant, at, roles, scopes } = this;
    return {
      ...{ id, outcome, reason, actor, target, grant, at },
      ...(rule && { rule }),
      ...{ roles, scopes, explanation, owner },
      ...(fix && { fix }),
    };
  }
}

function denial(policy: Policy, question: Question, find: () => Because): Decision {
  return new Denial(question.id ?? policy.newDecisionId(), question, find);
}

function placeOf(rule: SourceLine | undefined): string {
  return rule === undefined ? "one of its inbound rules" : `the rule in ${rule.file}:${rule.line}`;
}

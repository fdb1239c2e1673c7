import type { Application } from "../application.ts";
import { decide } from "../decide.ts";
import type { Decision } from "../decide.ts";
import type { Fix } from "../fix.ts";
import type { Owner } from "../reasons.ts";
import type { Landscape } from "./landscape.ts";
import { ways } from "./ways.ts";
import type { Way, WayName } from "./ways.ts";

/** May `actor` call `target` in this way? */
export interface CallQuestion {
  readonly actor: string;
  readonly target: string;
  readonly way: WayName;
  /** Claims of the user the call is for. */
  readonly subject?: Readonly<Record<string, unknown>> | undefined;
  readonly scope?: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What stands in the way before the policy is even asked: one side is not registered with the provider. */
export interface Obstacle {
  readonly code: "caller_not_registered" | "target_not_registered";
  readonly explanation: string;
  readonly owner: Owner;
  readonly fix: Fix;
}

/** The answer: the policy's decision, and what else is missing. */
export interface Call {
  readonly way: WayName;
  readonly outcome: "allow" | "deny";
  readonly decision: Decision;
  readonly obstacles: readonly Obstacle[];
}

/**
 * Says whether a call would work: the target's rules admit the caller, and both are registered with the provider that
 * would issue the token. A caller without a manifest here is taken to be registered, where the landscape is not complete.
 */
export function mayCall(landscape: Landscape, question: CallQuestion): Call {
  const way: Way = ways[question.way];
  const { actor, target, subject, scope, now } = question;
  const decision = decide(landscape.policy, { actor, target, grant: way.grant, subject, scope, now });
  const caller = landscape.applications.get(actor);
  const called = landscape.applications.get(target);
  const obstacles = [
    ...(caller === undefined && landscape.complete ? [stranger(actor, way)] : []),
    ...(caller === undefined || way.uses(caller) ? [] : [obstacle("caller_not_registered", caller, way)]),
    ...(called === undefined || way.uses(called) ? [] : [obstacle("target_not_registered", called, way)]),
  ];
  const outcome = decision.outcome === "allow" && obstacles.length === 0 ? "allow" : "deny";
  return { way: question.way, outcome, decision, obstacles };
}

function obstacle(code: Obstacle["code"], application: Application, way: Way): Obstacle {
  const { id, source } = application;
  return {
    code,
    explanation: `${id} is not registered with ${way.provider}: its manifest does not set spec.${way.field.join(".")}.`,
    owner: code === "caller_not_registered" ? "the caller's team" : "the target's team",
    fix: { file: source.file, line: source.specLine, yaml: nested(["spec", ...way.field]) },
  };
}

function stranger(id: string, way: Way): Obstacle {
  return {
    code: "caller_not_registered",
    explanation: `${id} is not registered with ${way.provider}: no manifest of it was applied.`,
    owner: "the caller's team",
    fix: { yaml: nested(["spec", ...way.field]) },
  };
}

function nested(path: readonly string[]): string {
  return path
    .map((step, depth) => `${"  ".repeat(depth)}${step}:`)
    .join("\n")
    .concat(" true");
}

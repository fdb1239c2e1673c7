import {
  decide,
  ways,
  waysBetween,
  type Application,
  type Landscape,
  type SourceLine,
  type WayName,
} from "@portvakt/policy";

/** One application that may call, or be called. */
export interface Neighbour {
  readonly id: string;
  readonly rule: SourceLine | undefined;
  readonly isWildcard: boolean;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** In which ways a token can be had; none where the two have no provider in common. */
  readonly open: readonly WayName[];
}

/** Who may call an application, and whom it may call, by the policy. */
export interface Neighbours {
  readonly callers: readonly Neighbour[];
  readonly called: readonly Neighbour[];
  /** Whom its manifest means it to call (outbound), and who does not admit it. */
  readonly hoped: readonly string[];
}

/** Asks the policy about every pair that the application is part of. */
export function neighboursOf(id: string, { applications, policy }: Landscape, now: number): Neighbours {
  const own = applications.get(id);
  const admitted = (actor: string, target: string): Neighbour[] => {
    const decision = decide(policy, { actor, target, grant: ways.itself.grant, now });
    if (decision.outcome === "deny") return [];
    const { rule, roles, scopes, reason } = decision;
    const other = actor === id ? target : actor;
    const isWildcard = reason === "admitted_by_wildcard";
    return [{ id: other, rule, isWildcard, roles, scopes, open: openBetween(own, applications.get(other)) }];
  };
  const others = [...applications.keys()].filter((other) => other !== id);
  const named = [...(policy.target(id)?.exact.keys() ?? [])].filter((caller) => caller !== id);
  const callers = [...new Set([...named, ...others])].flatMap((caller) => admitted(caller, id));
  const called = others.flatMap((target) => admitted(id, target));
  const reached = new Set(called.map((neighbour) => neighbour.id));
  const wished = own?.outbound.rules ?? [];
  const hoped = wished.map((rule) => `${rule.cluster}:${rule.namespace}:${rule.application}`);
  return { callers, called, hoped: hoped.filter((target) => !reached.has(target) && !target.includes("*")) };
}

function openBetween(one: Application | undefined, other: Application | undefined): readonly WayName[] {
  const sides = [one, other].filter((side) => side !== undefined);
  return waysBetween(sides).filter((way) => sides.every(ways[way].uses));
}

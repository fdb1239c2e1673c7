import type { InboundRule } from "../application.ts";
import { admissionFor, inWords } from "../policy.ts";
import type { Admission } from "../policy.ts";
import { kindOfChange } from "./change-kind.ts";
import type { ChangeKind } from "./change-kind.ts";
import type { Landscape } from "./landscape.ts";
import { wayNames, ways } from "./ways.ts";
import type { WayName } from "./ways.ts";

/** What becomes of the access of every application that a rule with a `*` admits, declared or not, in one way. */
export interface WildcardChange {
  readonly change: ChangeKind;
  /** As in the rule: `cluster:namespace:name`, with `*` for any. */
  readonly actor: string;
  /** The same in words, such as `every application in namespace partners of cluster prod`. */
  readonly who: string;
  readonly target: string;
  readonly way: WayName;
  readonly before: Admission | undefined;
  readonly after: Admission | undefined;
}

/**
 * Compares what the rules with a `*` admit, those of both sides. Each is asked for an application that bears `*` where the
 * rule has it: no manifest can name that, so that only what holds for every application of the kind admits it.
 */
export function compareWildcards(before: Landscape, after: Landscape, target: string): WildcardChange[] {
  const rules = [before, after].flatMap((side) => side.policy.target(target)?.wild ?? []);
  const byActor = new Map(
    rules.map((rule) => [`${rule.cluster}:${rule.namespace}:${rule.application}`, rule]),
  );
  return [...byActor].flatMap(([actor, rule]) => {
    const who = { actor, who: inWords(rule) };
    return wayNames.flatMap((way) => {
      const then = admission(before, target, actor, rule, way);
      const next = admission(after, target, actor, rule, way);
      const change = kindOfChange(reach(then, way), reach(next, way));
      return change === undefined ? [] : [{ change, ...who, target, way, before: then, after: next }];
    });
  });
}

function admission(
  { policy, applications }: Landscape,
  targetId: string,
  actor: string,
  { cluster, namespace, application: name }: InboundRule,
  way: WayName,
): Admission | undefined {
  const target = policy.target(targetId);
  const called = applications.get(targetId);
  if (target === undefined || called === undefined || !ways[way].uses(called)) return undefined;
  return admissionFor(target, actor, { cluster, namespace, name });
}

function reach(given: Admission | undefined, way: WayName): readonly string[] | undefined {
  const { gives } = ways[way];
  return gives === undefined ? given && [] : given?.[gives];
}

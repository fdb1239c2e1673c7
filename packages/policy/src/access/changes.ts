import type { Target } from "../policy.ts";
import { compareAudience, compareScopes } from "./audiences.ts";
import type { AudienceChange, ScopeChange } from "./audiences.ts";
import { mayCall } from "./call.ts";
import type { Call } from "./call.ts";
import { changeKinds, kindOfChange } from "./change-kind.ts";
import type { ChangeKind } from "./change-kind.ts";
import type { Landscape } from "./landscape.ts";
import { wayNames, ways } from "./ways.ts";
import type { WayName } from "./ways.ts";
import { compareWildcards } from "./wildcards.ts";
import type { WildcardChange } from "./wildcards.ts";

/** What becomes of one application's access to another, in one way. */
export interface AccessChange {
  readonly change: ChangeKind;
  readonly actor: string;
  readonly target: string;
  readonly way: WayName;
  readonly before: Call | undefined;
  readonly after: Call | undefined;
}

/** What would be different if the applications of `after` took the place of those of `before`. */
export interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Of applications that a manifest declares or a rule names. */
  readonly access: readonly AccessChange[];
  /** Of those that rules with a `*` admit, whether or not anybody has heard of them. */
  readonly wildcards: readonly WildcardChange[];
  /** Of employees. */
  readonly audiences: readonly AudienceChange[];
  /** Of other organisations. */
  readonly scopes: readonly ScopeChange[];
}

/**
 * Compares two landscapes by asking both the same questions: every application that either knows or names, and every kind of
 * application that a `*` admits, against every target, in every way. What it says is therefore what `decide` will do.
 * `now` is in seconds.
 */
export function compareAccess(before: Landscape, after: Landscape, now: number): Changes {
  const known = new Set([...before.applications.keys(), ...after.applications.keys()]);
  const moved = new Set([...known].filter((id) => registrations(before, id) !== registrations(after, id)));
  const targets = [...known].toSorted();
  const stirred = new Set(
    targets.filter((id) => moved.has(id) || rulesOf(before, id) !== rulesOf(after, id)),
  );
  return {
    added: [...after.applications.keys()].filter((id) => !before.applications.has(id)),
    removed: [...before.applications.keys()].filter((id) => !after.applications.has(id)),
    access: targets.flatMap((target) => {
      const sides = [before.policy.target(target), after.policy.target(target)].filter(
        (side) => side !== undefined,
      );
      const callers = stirred.has(target) ? callersOf(sides, known) : admittedOf(sides, moved);
      return callers.flatMap((actor) =>
        wayNames.flatMap((way) => compareCall(before, after, { actor, target, way, now })),
      );
    }),
    wildcards: [...stirred].flatMap((target) => compareWildcards(before, after, target)),
    audiences: targets.flatMap((target) => compareAudience(before, after, target)),
    scopes: targets.flatMap((target) => compareScopes(before, after, target)),
  };
}

/** Does somebody have less access afterwards? */
export function takesAccess({ access, wildcards, audiences, scopes }: Changes): boolean {
  return [access, wildcards, audiences, scopes].flat().some(({ change }) => changeKinds[change].loses);
}

/** Everybody whose access to a target can differ: whom a rule names, and all that are known where a rule has a `*`. */
function callersOf(sides: readonly Target[], known: ReadonlySet<string>): readonly string[] {
  const named = sides.flatMap(({ exact }) => [...exact.keys()]);
  const everybody = sides.some(({ wild }) => wild.length > 0) ? known : [];
  return [...new Set([...named, ...everybody])].toSorted();
}

/** Those of `some` that a rule of the target may be about. */
function admittedOf(sides: readonly Target[], some: ReadonlySet<string>): readonly string[] {
  return [...some]
    .filter((actor) => sides.some(({ exact, wild }) => wild.length > 0 || exact.has(actor)))
    .toSorted();
}

type Question = Parameters<typeof mayCall>[1];

function compareCall(before: Landscape, after: Landscape, question: Question): AccessChange[] {
  const { actor, target, way } = question;
  const then = answer(before, question);
  const next = answer(after, question);
  const change = kindOfChange(reach(then), reach(next));
  return change === undefined ? [] : [{ change, actor, target, way, before: then, after: next }];
}

/** A side that does not know the target has no say: the answer of today's platform would be "unknown", not "no". */
function answer(landscape: Landscape, question: Question): Call | undefined {
  return landscape.applications.has(question.target) ? mayCall(landscape, question) : undefined;
}

/** What a call may be with: nothing at all where it is refused. */
function reach(call: Call | undefined): readonly string[] | undefined {
  if (call?.outcome !== "allow") return undefined;
  const { gives } = ways[call.way];
  return gives === undefined ? [] : call.decision[gives];
}

function rulesOf(landscape: Landscape, id: string): string {
  const rules = landscape.applications.get(id)?.inbound ?? [];
  const bare = rules.map((rule) => [rule.cluster, rule.namespace, rule.application, rule.roles, rule.scopes]);
  return JSON.stringify(bare);
}

function registrations(landscape: Landscape, id: string): string {
  const application = landscape.applications.get(id);
  return application === undefined ? "" : wayNames.filter((way) => ways[way].uses(application)).join();
}

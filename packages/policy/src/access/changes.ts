import type { Application, AzureDeclaration } from "../application.ts";
import type { Target } from "../policy.ts";
import { mayCall } from "./call.ts";
import type { Call } from "./call.ts";
import type { Landscape } from "./landscape.ts";
import { wayNames, ways } from "./ways.ts";
import type { WayName } from "./ways.ts";

/** What becomes of one application's access to another, in one way. */
export interface AccessChange {
  readonly change: "gained" | "lost" | "altered";
  readonly actor: string;
  readonly target: string;
  readonly way: WayName;
  readonly before: Call | undefined;
  readonly after: Call | undefined;
}

/** Which employees may use an application. */
export type Audience = { readonly everyone: boolean; readonly groups: readonly string[] };

/** What becomes of the employees that may use an application. */
export interface AudienceChange {
  readonly target: string;
  readonly before: Audience | undefined;
  readonly after: Audience | undefined;
}

/** What would be different if the applications of `after` took the place of those of `before`. */
export interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly access: readonly AccessChange[];
  readonly audiences: readonly AudienceChange[];
}

/**
 * Compares two landscapes by asking both the same questions: every application that either knows or names, against every
 * target, in every way. What it says is therefore what `decide` will do. `now` is in seconds.
 */
export function compareAccess(before: Landscape, after: Landscape, now: number): Changes {
  const known = new Set([...before.applications.keys(), ...after.applications.keys()]);
  const moved = new Set([...known].filter((id) => registrations(before, id) !== registrations(after, id)));
  const access: AccessChange[] = [];
  const audiences: AudienceChange[] = [];
  for (const target of [...known].toSorted()) {
    const unchanged = rulesOf(before, target) === rulesOf(after, target) && !moved.has(target);
    for (const actor of callersOf(before, after, target, known)) {
      if (unchanged && !moved.has(actor)) continue;
      for (const way of wayNames) {
        const change = compareCall(before, after, { actor, target, way, now });
        if (change !== undefined) access.push(change);
      }
    }
    const audience = compareAudience(before, after, target);
    if (audience !== undefined) audiences.push(audience);
  }
  return {
    added: [...after.applications.keys()].filter((id) => !before.applications.has(id)),
    removed: [...before.applications.keys()].filter((id) => !after.applications.has(id)),
    access,
    audiences,
  };
}

/** Everybody whose access to the target can differ: whom a rule names, and everybody where a rule has a `*`. */
function callersOf(
  before: Landscape,
  after: Landscape,
  target: string,
  known: ReadonlySet<string>,
): readonly string[] {
  const sides = [before.policy.target(target), after.policy.target(target)].filter(
    (side) => side !== undefined,
  );
  const named = new Set(sides.flatMap((side: Target) => [...side.exact.keys()]));
  const everybody = sides.some((side) => side.wild.length > 0) ? known : [];
  return [...new Set([...named, ...everybody])].toSorted();
}

type Question = Parameters<typeof mayCall>[1];

function compareCall(before: Landscape, after: Landscape, question: Question): AccessChange | undefined {
  const { actor, target, way } = question;
  const then = answer(before, question);
  const next = answer(after, question);
  const change = kindOfChange(then, next, way);
  return change && { change, actor, target, way, before: then, after: next };
}

/** A side that does not know the target has no say: the answer of today's platform would be "unknown", not "no". */
function answer(landscape: Landscape, question: Question): Call | undefined {
  return landscape.applications.has(question.target) ? mayCall(landscape, question) : undefined;
}

function kindOfChange(
  before: Call | undefined,
  after: Call | undefined,
  way: WayName,
): AccessChange["change"] | undefined {
  const could = before?.outcome === "allow";
  const can = after?.outcome === "allow";
  if (could !== can) return can ? "gained" : "lost";
  const { gives } = ways[way];
  if (!can || !could || gives === undefined) return undefined;
  return sameSet(before.decision[gives], after.decision[gives]) ? undefined : "altered";
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item) => other.includes(item));
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

/** Of an application that is on both sides: of one that comes or goes that much is clear. */
function compareAudience(before: Landscape, after: Landscape, target: string): AudienceChange | undefined {
  if (!before.applications.has(target) || !after.applications.has(target)) return undefined;
  const then = audienceOf(before.applications.get(target));
  const next = audienceOf(after.applications.get(target));
  return JSON.stringify(then) === JSON.stringify(next) ? undefined : { target, before: then, after: next };
}

/** Which employees an application admits; `undefined` where it is not registered with Entra ID. */
export function audienceOf(application: Application | undefined): Audience | undefined {
  const azure: AzureDeclaration | undefined = application?.azure;
  if (azure?.enabled !== true) return undefined;
  return { everyone: azure.allowAllUsers, groups: azure.allowAllUsers ? [] : azure.groups.toSorted() };
}

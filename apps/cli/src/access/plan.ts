import {
  compareAccess,
  ways,
  type AccessChange,
  type Application,
  type Audience,
  type AudienceChange,
  type Changes,
  type Landscape,
} from "@portvakt/policy";
import { createLandscape } from "@portvakt/policy";
import { exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration, readLandscape } from "../manifests/declared.ts";
import { landscapeAt } from "../tokenx/known.ts";
import { registrarFor } from "../tokenx/open.ts";
import type { Terminal } from "../terminal.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";

/** `portvakt plan`: what would change if these manifests took the place of those that count today. */
export async function runPlan(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const against = text(args, "against");
  if (against === undefined)
    throw usageError("plan wants --against: manifests that count today, or a TokenX", "plan");
  const { terminal, now } = around;
  const after = await declaration("plan", args, around);
  const isServer = /^https?:\/\//.test(against);
  const changes = isServer
    ? await changesAtServer(after, { args, around, url: against, running: after.running })
    : compareAccess(await readLandscape([against], args, around), after, now());
  if (flag(args, "json")) terminal.out(`${JSON.stringify(changes)}\n`);
  else terminal.out(planWords(changes, terminal));
  return changes.access.some(({ change }) => change === "lost") ? exitCodes.no : exitCodes.yes;
}

/** Only what a TokenX knows can be compared with it: applications that use it, and calls on behalf of citizens. */
async function changesAtServer(
  after: Landscape,
  where: Omit<Parameters<typeof registrarFor>[0], "verb">,
): Promise<Changes> {
  const registrar = await registrarFor({ verb: "plan", ...where });
  const before = landscapeAt(await registrar.list(), registrar.issuer);
  return changesAt(before, after, where.around.now());
}

/** What registering these applications would change at a TokenX that knows those of `before`. It forgets nobody. */
export function changesAt(before: Landscape, after: Landscape, now: number): Changes {
  const mine = [...after.applications.values()].filter(ways.citizen.uses);
  const kept = [...before.applications.values()].filter(({ id }) => !after.applications.has(id));
  const next = createLandscape([...mine.map(citizensOnly), ...kept], { complete: true });
  return compareAccess(before, next, now);
}

function citizensOnly(application: Application): Application {
  return { ...application, azure: undefined };
}

/** The changes for people: a line for each pair, and what they come to. */
export function planWords(changes: Changes, { paint }: Pick<Terminal, "paint">): string {
  const { added, removed, access, audiences } = changes;
  const lines = [
    ...added.map((id) => `${paint("green", "+")} ${id} is new`),
    ...removed.map((id) => `${paint("red", "-")} ${id} is gone`),
  ];
  if (lines.length > 0) lines.push("");
  for (const group of byPair(access)) lines.push(...pairLines(group, paint));
  if (access.length > 0) lines.push("");
  if (audiences.length > 0) lines.push(...audiences.map((change) => audienceLine(change, paint)), "");
  return `${[...lines, summary(access, audiences)].join("\n")}\n`;
}

function byPair(access: readonly AccessChange[]): readonly (readonly AccessChange[])[] {
  const pairs = Map.groupBy(access, ({ change, actor, target }) => `${change} ${actor} ${target}`);
  return [...pairs.values()];
}

const marks = { gained: ["green", "+"], lost: ["red", "-"], altered: ["yellow", "~"] } as const;

function pairLines(group: readonly AccessChange[], paint: Terminal["paint"]): string[] {
  const [first] = group;
  if (first === undefined) return [];
  const [colour, mark] = marks[first.change];
  const how = group.map(({ way }) => ways[way].title).join(", ");
  const head = `${paint(colour, mark)} ${first.actor} -> ${first.target}  ${paint("dim", how)}`;
  return [head, ...group.flatMap(given), ...because(first, paint)];
}

/** What the rules give the caller, where that is not nothing. */
function given({ change, way, before, after }: AccessChange): string[] {
  const { gives } = ways[way];
  if (gives === undefined) return [];
  const then = before?.decision[gives] ?? [];
  const next = after?.decision[gives] ?? [];
  if (change === "altered") return [`    ${gives}: ${listed(then)} -> ${listed(next)}`];
  const own = change === "gained" ? next : then;
  return own.length === 0 ? [] : [`    ${gives}: ${listed(own)}`];
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}

function because({ change, before, after }: AccessChange, paint: Terminal["paint"]): string[] {
  if (change === "lost") {
    const why =
      after === undefined ? "it is gone" : (after.obstacles[0]?.explanation ?? after.decision.explanation);
    return [`    ${paint("dim", why)}`];
  }
  const rule = (after ?? before)?.decision.rule;
  return rule === undefined ? [] : [`    ${paint("dim", `${rule.file}:${rule.line}`)}`];
}

function audienceLine({ target, before, after }: AudienceChange, paint: Terminal["paint"]): string {
  return `${paint("yellow", "~")} employees who may use ${target}: ${inWords(before)} -> ${inWords(after)}`;
}

function inWords(audience: Audience | undefined): string {
  if (audience === undefined) return "none";
  if (audience.everyone) return "all";
  return audience.groups.length === 0 ? "no group" : `members of ${audience.groups.join(", ")}`;
}

function summary(access: readonly AccessChange[], audiences: readonly AudienceChange[]): string {
  if (access.length + audiences.length === 0) return "Nobody gains access, and nobody loses it.";
  const pairs = byPair(access);
  const count = (kind: AccessChange["change"]): number =>
    pairs.filter(([first]) => first?.change === kind).length;
  const altered = count("altered") + audiences.length;
  return `${count("gained")} gained, ${count("lost")} lost${altered > 0 ? `, ${altered} changed` : ""}.`;
}

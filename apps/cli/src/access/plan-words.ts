import { ways, type AccessChange, type Audience, type AudienceChange, type Changes } from "@portvakt/policy";
import type { Terminal } from "../terminal.ts";

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

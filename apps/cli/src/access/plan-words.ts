import {
  changeKinds,
  ways,
  type AccessChange,
  type Changes,
  type ChangeKind,
  type WildcardChange,
} from "@portvakt/policy";
import type { Terminal } from "../terminal.ts";

type Paint = Terminal["paint"];
type CallChange = AccessChange | WildcardChange;

/** The changes for people: a line for each pair, and what they come to. */
export function planWords(changes: Changes, { paint }: Pick<Terminal, "paint">): string {
  const { added, removed, access, wildcards, audiences, scopes } = changes;
  const pairs = byPair([...access, ...wildcards]);
  const paragraphs = [
    [
      ...added.map((id) => `${paint("green", "+")} ${id} is new`),
      ...removed.map((id) => `${paint("red", "-")} ${id} is gone`),
    ],
    pairs.flatMap((pair) => pairLines(pair, paint)),
    [
      ...audiences.map(({ change, target, before, after }) => {
        const inWords = (one: typeof before): string =>
          peopleWords("members of", one && { everyone: one.everyone, some: one.groups });
        return `${marked(change, paint)} employees who may use ${target}: ${inWords(before)} -> ${inWords(after)}`;
      }),
      ...scopes.map(({ change, target, scope, before, after }) => {
        const inWords = (one: typeof before): string =>
          peopleWords("", one && { everyone: one.everyone, some: one.organisations });
        return `${marked(change, paint)} organisations that may use ${scope} of ${target}: ${inWords(before)} -> ${inWords(after)}`;
      }),
    ],
  ];
  const kinds = [
    ...pairs.map(([{ change }]) => change),
    ...[...audiences, ...scopes].map((one) => one.change),
  ];
  const blocks = paragraphs.filter((lines) => lines.length > 0).map((lines) => `${lines.join("\n")}\n\n`);
  return `${blocks.join("")}${summary(kinds)}\n`;
}

type Pair = readonly [CallChange, ...CallChange[]];

function byPair(changes: readonly CallChange[]): readonly Pair[] {
  const pairs = Map.groupBy(changes, ({ change, actor, target }) => `${change} ${actor} ${target}`);
  return [...pairs.values()].flatMap(([first, ...rest]): Pair[] =>
    first === undefined ? [] : [[first, ...rest]],
  );
}

const marks: Readonly<Record<ChangeKind, readonly [Parameters<Paint>[0], string]>> = {
  gained: ["green", "+"],
  lost: ["red", "-"],
  widened: ["yellow", "~"],
  narrowed: ["yellow", "~"],
  exchanged: ["yellow", "~"],
};

function marked(change: ChangeKind, paint: Paint): string {
  const [colour, mark] = marks[change];
  return paint(colour, mark);
}

function pairLines(pair: Pair, paint: Paint): string[] {
  const [first] = pair;
  const how = pair.map(({ way }) => ways[way].title).join(", ");
  const who = "who" in first ? first.who : first.actor;
  const head = `${marked(first.change, paint)} ${who} -> ${first.target}  ${paint("dim", how)}`;
  const why = because(first);
  return [head, ...pair.flatMap(given), ...(why === undefined ? [] : [`    ${paint("dim", why)}`])];
}

/** What the rules give the caller, where that is not nothing. */
function given({ change, way, before, after }: CallChange): string[] {
  const { gives } = ways[way];
  if (gives === undefined) return [];
  const of = (side: CallChange["before"]): readonly string[] =>
    (side !== undefined && "decision" in side ? side.decision : side)?.[gives] ?? [];
  if (change !== "gained" && change !== "lost")
    return [`    ${gives}: ${listed(of(before))} -> ${listed(of(after))}`];
  const own = of(change === "gained" ? after : before);
  return own.length === 0 ? [] : [`    ${gives}: ${listed(own)}`];
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}

function because(change: CallChange): string | undefined {
  if ("who" in change) {
    const rule = (change.after ?? change.before)?.rule;
    return rule && `${rule.file}:${rule.line}`;
  }
  const { before, after } = change;
  if (change.change === "lost")
    return after === undefined
      ? "it is gone"
      : (after.obstacles[0]?.explanation ?? after.decision.explanation);
  const rule = (after ?? before)?.decision.rule;
  return rule && `${rule.file}:${rule.line}`;
}

function peopleWords(
  of: string,
  admitted: { everyone: boolean; some: readonly string[] } | undefined,
): string {
  if (admitted === undefined) return "none";
  if (admitted.everyone) return "all";
  return admitted.some.length === 0 ? "none" : `${of} ${admitted.some.join(", ")}`.trim();
}

/** Who has more and who has less. Somebody may have both: another role in place of one, or another group. */
function summary(kinds: readonly ChangeKind[]): string {
  if (kinds.length === 0) return "Nobody gains access, and nobody loses it.";
  const count = (what: "gains" | "loses"): number => kinds.filter((kind) => changeKinds[kind][what]).length;
  return `${count("gains")} gained, ${count("loses")} lost.`;
}

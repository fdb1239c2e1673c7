import { isAlias, isMap, isScalar, isSeq, stringify } from "yaml";
import type { Node, Pair, YAMLMap, YAMLSeq } from "yaml";

/** These words take the place of the text from `from` to `to`. */
export interface Insertion {
  readonly from: number;
  readonly to: number;
  readonly words: string;
}

/** The text of a file, and what the places in it are written like. */
interface Place {
  readonly text: string;
  readonly newline: string;
  /** How many spaces deeper the fields of a field stand. */
  readonly step: number;
  /** JSON is YAML too, as long as its names stay in quotes. */
  readonly isJson: boolean;
}

type Collection = YAMLMap<Node, Node | null> | YAMLSeq<Node>;

/**
 * What to put into `text` for the map at `root` to have the fields of `patch` too: lists get more entries, single values become
 * those of the patch. Gives `undefined` where an alias stands in the way, or a value of another kind.
 */
export function insertionsFor(given: {
  readonly text: string;
  readonly root: YAMLMap;
  readonly patch: YAMLMap;
}): Insertion[] | undefined {
  const { text, patch } = given;
  const root = given.root as YAMLMap<Node, Node | null>;
  const newline = /\r?\n/.exec(text)?.[0] ?? "\n";
  const isJson = root.flow === true && /^\uFEFF?\s*\{\s*"/.test(text);
  return merge({ text, newline, isJson, step: stepOf(root, text) }, root, patch as typeof root);
}

/** As the first field that has fields of its own is written. */
function stepOf(root: YAMLMap<Node, Node | null>, text: string): number {
  const inner = root.items.map(({ value }) => value).find((value) => isMap(value) && value.flow !== true);
  return inner === undefined || inner === null ? 2 : columnOf(inner, text) - columnOf(root, text);
}

function merge(
  place: Place,
  into: YAMLMap<Node, Node | null>,
  more: YAMLMap<Node, Node | null>,
): Insertion[] | undefined {
  const found: Insertion[] = [];
  for (const { key, value } of more.items) {
    const name = String(key);
    const own = into.items.find((pair) => isScalar(pair.key) && pair.key.value === name);
    const next =
      own === undefined ? [added(place, into, dataOf(name, value))] : grown(place, into, own, value);
    if (next === undefined) return undefined;
    found.push(...next);
  }
  return found;
}

/** The value of a field that is there takes `more` in. */
function grown(
  place: Place,
  parent: YAMLMap<Node, Node | null>,
  own: Pair<Node, Node | null>,
  more: Node | null,
): Insertion[] | undefined {
  const { value } = own;
  if (isAlias(value)) return undefined;
  if (isScalar(value) && value.value !== null && isScalar(more)) return replaced(place, value, more.value);
  if (value === null || isEmpty(value)) return [filled(place, parent, own, more)];
  if (isMap<Node, Node | null>(value) && isMap<Node, Node | null>(more)) return merge(place, value, more);
  if (isSeq<Node>(value) && isSeq<Node>(more)) return [added(place, value, more.toJSON())];
  return undefined;
}

function isEmpty(value: Node): boolean {
  return isScalar(value) ? value.value === null : (isMap(value) || isSeq(value)) && value.items.length === 0;
}

function dataOf(name: string, value: Node | null): Record<string, unknown> {
  return { [name]: value?.toJSON() };
}

/** New entries of a list, or a new field of a map, after the last one that is there. */
function added(place: Place, into: Collection, data: unknown): Insertion {
  if (into.flow === true) {
    const from = endOf(into.items.at(-1));
    return { from, to: from, words: `, ${flowOf(place, data).slice(1, -1).trim()}` };
  }
  return below(place, lineEnd(place.text, endOf(into)), columnOf(into, place.text), data);
}

/** A field without a value gets one, on lines of its own; one within braces on its own line. */
function filled(
  place: Place,
  parent: YAMLMap<Node, Node | null>,
  { key, value }: Pair<Node, Node | null>,
  more: Node | null,
): Insertion {
  const [from, to] = value?.range ?? [endOf(key), endOf(key)];
  if (parent.flow === true)
    return { from, to, words: `${from === to ? " " : ""}${flowOf(place, more?.toJSON())}` };
  const at = lineEnd(place.text, to);
  const lines = below(place, at, columnOf(parent, place.text) + place.step, more?.toJSON());
  // `rules: []` keeps neither its brackets nor the space before them
  const space = from === to ? 0 : (/[ \t]*$/.exec(place.text.slice(0, from))?.[0].length ?? 0);
  return { from: from - space, to: at, words: `${place.text.slice(to, at)}${lines.words}` };
}

function replaced({ text, isJson }: Place, value: Node, scalar: unknown): Insertion[] | undefined {
  const [from, to] = value.range ?? [0, 0];
  // what a template fills in, or what goes over several lines, is not ours to overwrite
  if (/\{\{|\n/.test(text.slice(from, to))) return undefined;
  return [{ from, to, words: isJson ? JSON.stringify(scalar) : scalarOf(scalar) }];
}

/** Lines of YAML at a place where a line begins, or where the last one ends without a line break. */
function below({ text, newline, step }: Place, at: number, column: number, data: unknown): Insertion {
  const block = linesOf(data, step)
    .map((line) => `${" ".repeat(column)}${line}`)
    .join(newline);
  const isOpen = at > 0 && text[at - 1] !== "\n";
  return { from: at, to: at, words: isOpen ? `${newline}${block}` : `${block}${newline}` };
}

function linesOf(data: unknown, step: number): string[] {
  if (typeof data !== "object" || data === null) return [scalarOf(data)];
  if (Array.isArray(data)) {
    return data.flatMap((item) =>
      linesOf(item, step).map((line, index) => `${index === 0 ? "- " : "  "}${line}`),
    );
  }
  return Object.entries(data).flatMap(([key, value]) => {
    const lines = linesOf(value, step);
    if (typeof value !== "object" || value === null) return [`${scalarOf(key)}: ${lines.join("")}`];
    return [`${scalarOf(key)}:`, ...lines.map((line) => `${" ".repeat(step)}${line}`)];
  });
}

/** To YAML 1.1, which some still read, a plain `on` is true: such words are written in quotes. */
function scalarOf(data: unknown): string {
  return stringify(data, { lineWidth: 0, version: "1.1" }).trim();
}

function flowOf({ isJson }: Place, data: unknown): string {
  if (isJson) return JSON.stringify(data);
  return stringify(data, { collectionStyle: "flow", lineWidth: 0, version: "1.1" }).trim();
}

/** Where the last word of something ends. A collection's own range takes comments in that follow it. */
function endOf(item: Node | Pair<Node, Node | null> | undefined): number {
  if (item === undefined) return 0;
  if ("key" in item)
    return item.value === null ? endOf(item.key) : Math.max(endOf(item.value), endOf(item.key));
  if ((isMap<Node, Node | null>(item) || isSeq<Node>(item)) && item.flow !== true && item.items.length > 0)
    return endOf(item.items.at(-1));
  return item.range?.[1] ?? 0;
}

function lineEnd(text: string, from: number): number {
  if (from > 0 && text[from - 1] === "\n") return from;
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end + 1;
}

function columnOf({ range }: Node, text: string): number {
  const at = range?.[0] ?? 0;
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return text.slice(start, at).replace("\uFEFF", "").length;
}

import { parseTemplate } from "./template-parse.ts";
import type { TemplateBlock, TemplateNode, TemplateProblem } from "./template-parse.ts";

/** A text with its templates filled in, and the way back from a place in it to the place in the file. */
export interface Rendered {
  readonly text: string;
  /** The offset in the original of an offset in `text`. */
  readonly origin: (offset: number) => number;
  readonly problems: readonly TemplateProblem[];
}

type Values = Readonly<Record<string, unknown>>;

/** A piece of the output: text copied from the source, or something that stands for the tag at `from`. */
interface Piece {
  readonly at: number;
  readonly from: number;
  readonly copied: boolean;
}

/** What names mean at some place: the fields of `this`, then the alias of each block around, then the values. */
interface Scope {
  readonly names: Values;
  readonly outer: Scope | undefined;
}

// Private-use characters mark a name without a value: YAML takes them as plain text, nobody types them.
const open = "\u{E000}";
const close = "\u{E001}";
const marker = new RegExp(`${open}([^${close}]*)${close}`, "g");
const maxLength = 1_048_576;
const maxSteps = 200_000;

/**
 * Fills in `{{ name }}`, `{{ name.sub }}`, `{{#each list}}`, `{{#if name}}` and `{{#unless name}}` from `values`, as deploy
 * tools do before they read the YAML. A name without a value is left marked (see `unresolvedName`), so that only those
 * who need the field complain. Objects and lists are written as JSON, which YAML reads. Output ends at 1 MiB.
 */
export function renderTemplate(source: string, values: Values): Rendered {
  if (!source.includes("{{")) return { text: source, origin: (offset) => offset, problems: [] };
  const problems: TemplateProblem[] = [];
  const renderer = new Renderer(source, problems);
  renderer.write(parseTemplate(source, problems), { names: values, outer: undefined });
  const { text, pieces } = renderer;
  return { text, origin: (offset) => originOf(offset, pieces), problems };
}

class Renderer {
  text = "";
  readonly pieces: Piece[] = [];
  readonly #source: string;
  readonly #problems: TemplateProblem[];
  #steps = 0;

  constructor(source: string, problems: TemplateProblem[]) {
    this.#source = source;
    this.#problems = problems;
  }

  write(nodes: readonly TemplateNode[], scope: Scope): void {
    for (const node of nodes) {
      if (this.#isTooMuch(node)) return;
      if (node.kind === "block") {
        this.#writeBlock(node, scope);
      } else if (node.kind === "text") {
        this.#add(this.#source.slice(node.start, node.end), node.start, true);
      } else {
        this.#add(written(node.name, scope), node.start, false);
      }
    }
  }

  /** Blocks in blocks multiply: both what they write and how often they run is bounded, and told once. */
  #isTooMuch(node: TemplateNode): boolean {
    this.#steps += 1;
    const steps = this.#steps;
    if (steps <= maxSteps && this.text.length <= maxLength) return false;
    if (steps !== Infinity) {
      const message = "the templates of this file expand to more than 1 MiB";
      this.#problems.push({
        offset: node.kind === "block" ? node.start : 0,
        message,
        hint: "split the file",
      });
    }
    this.#steps = Infinity;
    return true;
  }

  #add(text: string, from: number, copied: boolean): void {
    this.pieces.push({ at: this.text.length, from, copied });
    this.text += text;
  }

  #writeBlock(block: TemplateBlock, scope: Scope): void {
    const value = lookUp(block.name, scope);
    if (block.helper !== "each") {
      this.write(isTrue(value) === (block.helper === "if") ? block.body : block.otherwise, scope);
      return;
    }
    if (value === undefined) {
      const message = `{{#each ${block.name}}} needs ${block.name}, which has no value`;
      this.#problems.push({ offset: block.start, message, hint: `give ${block.name} a value` });
      return;
    }
    const items = typeof value === "object" && value !== null ? Object.values(value) : [];
    if (items.length === 0) this.write(block.otherwise, scope);
    for (const item of items) {
      if (this.#isTooMuch(block)) return;
      const fields = typeof item === "object" && item !== null && !Array.isArray(item) ? { ...item } : {};
      const alias = block.alias === undefined ? {} : { [block.alias]: item as unknown };
      this.write(block.body, { names: { ...fields, ...alias, this: item }, outer: scope });
    }
  }
}

function written(name: string, scope: Scope): string {
  const value = lookUp(name, scope);
  if (value === undefined || value === null) return `${open}${name}${close}`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function lookUp(name: string, scope: Scope): unknown {
  const [first = "", ...rest] = name.split(".");
  let around: Scope | undefined = scope;
  while (around !== undefined && !Object.hasOwn(around.names, first)) around = around.outer;
  let value: unknown = around?.names[first];
  for (const part of rest) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function originOf(offset: number, pieces: readonly Piece[]): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.at ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const piece = pieces[low - 1];
  if (piece === undefined) return offset;
  return piece.copied ? piece.from + (offset - piece.at) : piece.from;
}

/** The first name in `text` that had no value, or `undefined`. */
export function unresolvedName(text: string): string | undefined {
  if (!text.includes(open)) return undefined;
  marker.lastIndex = 0;
  return marker.exec(text)?.[1];
}

/** `text` as it stood in the file: each name without a value as `{{ name }}` again. */
export function restoreUnresolved(text: string): string {
  return text.replaceAll(marker, "{{ $1 }}");
}

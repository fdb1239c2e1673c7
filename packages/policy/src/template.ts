/** A text with its `{{ name }}` filled in, and the way back from a place in it to the place in the file. */
export interface Rendered {
  readonly text: string;
  /** The offset in the original of an offset in `text`. */
  readonly origin: (offset: number) => number;
  readonly problems: readonly { readonly offset: number; readonly message: string; readonly hint: string }[];
}

// Private-use characters mark a name without a value: YAML takes them as plain text, nobody types them.
const open = "\u{E000}";
const close = "\u{E001}";
const marker = new RegExp(`${open}([^${close}]*)${close}`, "g");

interface Edit {
  readonly outStart: number;
  readonly outEnd: number;
  readonly inStart: number;
  readonly inEnd: number;
}

/**
 * Fills in `{{ name }}` and `{{ name.sub }}` from `values`, as deploy tools do before they read the YAML.
 * A name without a value is left marked (see `unresolvedName`), so that only those who need the field complain.
 * Objects and lists are written as JSON, which YAML reads. Blocks (`{{#if}}`, `{{#each}}`) are reported.
 */
export function renderTemplate(source: string, values: Readonly<Record<string, unknown>>): Rendered {
  if (!source.includes("{{")) return { text: source, origin: (offset) => offset, problems: [] };
  const edits: Edit[] = [];
  const problems: { offset: number; message: string; hint: string }[] = [];
  let text = "";
  let last = 0;
  for (const match of source.matchAll(/\{\{([^{}\n]*)\}\}/g)) {
    const expression = (match[1] ?? "").trim();
    const inEnd = match.index + match[0].length;
    text += source.slice(last, match.index);
    const outStart = text.length;
    text += replacement(expression, values);
    edits.push({ outStart, outEnd: text.length, inStart: match.index, inEnd });
    last = inEnd;
    if (/^[#/^]|^else\b/.test(expression)) {
      problems.push({
        offset: match.index,
        message: `{{${expression}}} is a template block, which is not understood here`,
        hint: "render the file with your deploy tool first, or use plain {{ name }} values",
      });
    }
  }
  return { text: text + source.slice(last), origin: (offset) => originOf(offset, edits), problems };
}

function replacement(expression: string, values: Readonly<Record<string, unknown>>): string {
  if (/^[#/^]|^else\b/.test(expression)) return "";
  const value = lookUp(expression, values);
  if (value === undefined || value === null) return `${open}${expression}${close}`;
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

function lookUp(expression: string, values: Readonly<Record<string, unknown>>): unknown {
  let value: unknown = values;
  for (const part of expression.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function originOf(offset: number, edits: readonly Edit[]): number {
  let shift = 0;
  for (const edit of edits) {
    if (offset < edit.outStart) break;
    if (offset < edit.outEnd) return edit.inStart;
    shift = edit.inEnd - edit.outEnd;
  }
  return offset + shift;
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

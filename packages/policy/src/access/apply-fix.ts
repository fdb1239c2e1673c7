import { isMap, parse, parseAllDocuments, parseDocument } from "yaml";
import type { Document } from "yaml";
import type { Fix } from "../fix.ts";
import { insertionsFor } from "./insertions.ts";
import type { Insertion } from "./insertions.ts";

/**
 * Writes a fix into the text of its manifest: lines are put in where they belong, in the file's own way of ending and
 * indenting lines, and nothing else changes. Gives `undefined` where that cannot be done by text alone: no valid YAML, an alias
 * or an anchor that others share, a template around the place, or a field that is there with another kind of value.
 *
 * *Checks*: that the file read again says what it said, and the fix, and no more. *Does not check*: that the result is what
 * somebody wants; read it before you deploy it.
 */
export function applyFix(text: string, fix: Fix): string | undefined {
  const before = documentsOf(text);
  const patch = parseDocument(fix.yaml);
  const line = lineStart(text, fix.line ?? 1);
  const index = before?.findLastIndex(({ contents }) => contents !== null && contents.range[0] <= line) ?? -1;
  const document = before?.[index];
  if (before === undefined || !isMap(document?.contents) || !isMap(patch.contents)) return undefined;
  const found = insertionsFor({ text, root: document.contents, patch: patch.contents });
  if (found === undefined) return undefined;
  const after = inserted(text, found);
  const wanted = before.map((one, at) => (at === index ? merged(dataOf(one), parse(fix.yaml)) : dataOf(one)));
  const got = documentsOf(after)?.map(dataOf);
  return JSON.stringify(got) === JSON.stringify(wanted) ? after : undefined;
}

const blockTag = /\{\{\s*(?:[#/^]|else\b)/;

/**
 * The documents of a text, their places as in the text. A `{{ name }}`, which to YAML is a map in a map, is read as a word of
 * the same length; with blocks (`{{#each}}`), a place in the text is no place in what is deployed.
 */
function documentsOf(text: string): readonly Document.Parsed[] | undefined {
  if (blockTag.test(text)) return undefined;
  const plain = text.replaceAll(/\{\{[^{}\n"']*\}\}/g, (tag) => "x".repeat(tag.length));
  const documents = parseAllDocuments(plain, { merge: true, stringKeys: true });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined;
  return documents;
}

function lineStart(text: string, line: number): number {
  let offset = 0;
  for (let left = line - 1; left > 0; left--) offset = text.indexOf("\n", offset) + 1;
  // what a byte order mark stands before begins after it
  return offset === 0 && text.startsWith("\uFEFF") ? 1 : offset;
}

/** Later ones first, so that a place stays where it is until it is its turn. */
function inserted(text: string, insertions: readonly Insertion[]): string {
  return insertions
    .toSorted((one, other) => other.from - one.from)
    .reduce((rest, { from, to, words }) => `${rest.slice(0, from)}${words}${rest.slice(to)}`, text);
}

/** With aliases written out: of an anchor that is shared, a change shows in every place. */
function dataOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 200 });
  } catch {
    return undefined;
  }
}

/** The fields of both; lists one after the other; of two single values the second. */
function merged(one: unknown, more: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(more)) return [...one, ...more];
  if (!isRecord(one) || !isRecord(more)) return more;
  const both = Object.entries(more).map(([key, value]) => [key, merged(one[key], value)] as const);
  return { ...one, ...Object.fromEntries(both) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

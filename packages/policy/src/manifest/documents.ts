import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Document, ErrorCode, Node, Pair } from "yaml";
import { renderTemplate } from "./template.ts";

/** Something wrong with a file, and where: `line` and `column` count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

export type Path = readonly (string | number)[];

/** One YAML document of a file. */
export interface ManifestDocument {
  readonly file: string;
  /** Its content as plain data; empty fields (`key:`) are left out, as the platform does. */
  readonly value: unknown;
  /** The place of the field at `path`, or of the nearest field above it that exists. */
  locate(path: Path, part?: "key" | "value"): { line: number; column: number };
}

const maxFileLength = 1_048_576;
const maxDocuments = 1000;
const maxDepth = 40;

/**
 * Opens a file of manifests: fills in templates, reads each YAML document (anchors and merge keys included) and keeps
 * the positions of the file as it was written.
 *
 * *Checks*: 1 MiB a file, 1000 documents, 40 levels, YAML 1.2 syntax, repeated keys, how far aliases expand.
 * *Does not check*: what the documents say. *Throws*: nothing; what is wrong goes to `problems`.
 */
export function openDocuments(
  source: { readonly file: string; readonly text: string },
  values: Readonly<Record<string, unknown>>,
  problems: Problem[],
): ManifestDocument[] {
  const { file, text } = source;
  const report = (place: { line: number; column: number }, message: string, hint: string): void => {
    problems.push({ file, ...place, message, hint });
  };
  if (text.length > maxFileLength) {
    report({ line: 1, column: 1 }, "the file is larger than 1 MiB", "split it, one application a file");
    return [];
  }
  const rendered = renderTemplate(text, values);
  const placeOf = positionsOf(text, rendered.origin);
  for (const problem of rendered.problems) {
    report(placeOf.original(problem.offset), problem.message, problem.hint);
  }
  const parsed = parseAllDocuments(rendered.text, { merge: true, prettyErrors: false, stringKeys: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  if (documents.length > maxDocuments) {
    report({ line: 1, column: 1 }, `the file has more than ${maxDocuments} documents`, "split it");
    return [];
  }
  const opened: ManifestDocument[] = [];
  for (const document of documents) {
    for (const error of document.errors) {
      const hint = yamlHints[error.code] ?? "mend the YAML on this line";
      report(placeOf.rendered(error.pos[0]), plainMessage(error.message), hint);
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const value = contentOf(document, (message) => {
      const [start = 0] = document.contents?.range ?? [];
      report(placeOf.rendered(start), message, "put the anchor before it, or write out what it stands for");
    });
    if (value === undefined) continue;
    opened.push({
      file,
      value,
      locate: (path, part = "value") => placeOf.rendered(offsetOf(document, path, part)),
    });
  }
  return opened;
}

/** What to do about the slips that happen most. */
const yamlHints: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: "this field stands above already: keep one of the two",
  TAB_AS_INDENT: "write spaces in place of the tab",
  BAD_INDENT: "a bracket above is not closed, or this line stands too far left",
  MISSING_CHAR: "something is open here: close the quote or the bracket, or write a space after the colon",
  BAD_SCALAR_START: "write the value in quotes",
  BAD_DQ_ESCAPE: "write the value in single quotes, where a backslash is only a backslash",
  BAD_ALIAS: "write the value in quotes: * and & begin aliases and anchors",
  UNEXPECTED_TOKEN: "put this on a line of its own, or the value into quotes",
  MULTILINE_IMPLICIT_KEY: "a colon is missing, or the lines below stand too far right",
  BLOCK_AS_IMPLICIT_KEY: "write a line break after the colon, or the value into quotes",
};

function plainMessage(message: string): string {
  const bare = message.trim().replace(/\.$/, "");
  return `this is no valid YAML: ${bare.charAt(0).toLowerCase()}${bare.slice(1)}`;
}

function positionsOf(
  text: string,
  origin: (offset: number) => number,
): Record<"original" | "rendered", (offset: number) => { line: number; column: number }> {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  const original = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line, column: col };
  };
  return { original, rendered: (offset) => original(origin(offset)) };
}

function contentOf(document: Document.Parsed, refuse: (message: string) => void): unknown {
  try {
    return withoutEmpty(document.toJS({ maxAliasCount: 200 }), 0);
  } catch (error) {
    refuse(complaintOf(error));
    return undefined;
  }
}

function complaintOf(error: unknown): string {
  if (error instanceof TooDeep) return error.message;
  const missing =
    error instanceof ReferenceError ? /^Unresolved alias.*: (\S+)$/.exec(error.message)?.[1] : undefined;
  // What else the library throws here (RangeError, ReferenceError) means that aliases expand without bound.
  return missing === undefined
    ? "the anchors of this document expand too far"
    : `*${missing} points to nothing: there is no anchor &${missing} before it`;
}

class TooDeep extends Error {}

/** A copy without null fields, which mean "not given" to the platform. */
function withoutEmpty(value: unknown, depth: number): unknown {
  if (depth > maxDepth) throw new TooDeep(`this document is more than ${maxDepth} levels deep`);
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(item, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutEmpty(field, depth + 1)]));
}

/** Walks as far along `path` as the document goes; the offset of the key or value where it ends. */
function offsetOf(document: Document.Parsed, path: Path, part: "key" | "value"): number {
  let node: Node | undefined = document.contents ?? undefined;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const container: Node | undefined = isAlias(node) ? node.resolve(document) : node;
    const last = index === path.length - 1;
    if (typeof step === "number") {
      node = isSeq(container) ? (container.items[step] as Node | undefined) : undefined;
      if (node === undefined) return offset;
      offset = node.range?.[0] ?? offset;
      continue;
    }
    const pair = pairOf(container, step, document, 0);
    if (pair === undefined) return offset;
    const keyOffset = pair.key.range?.[0] ?? offset;
    node = pair.value ?? undefined;
    offset = last && part === "value" ? (node?.range?.[0] ?? keyOffset) : keyOffset;
  }
  return offset;
}

function pairOf(
  container: Node | undefined,
  key: string,
  document: Document.Parsed,
  depth: number,
): Pair<Node, Node | null> | undefined {
  if (!isMap<Node, Node | null>(container) || depth > maxDepth) return undefined;
  const own = container.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
  if (own !== undefined) return own;
  for (const pair of container.items) {
    if (!isScalar(pair.key) || (pair.key.source !== "<<" && pair.key.value !== "<<")) continue;
    const sources = isSeq<Node>(pair.value) ? pair.value.items : [pair.value];
    for (const source of sources) {
      const merged = isAlias(source) ? source.resolve(document) : (source ?? undefined);
      const found = pairOf(merged, key, document, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

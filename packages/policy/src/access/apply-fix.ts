import { isAlias, isMap, isSeq, parseAllDocuments, parseDocument } from "yaml";
import type { Document, Node, YAMLMap } from "yaml";
import type { Fix } from "../fix.ts";

/** A `{{ name }}` outside quotes: to YAML it is a map in a map, and would be written back as one. */
const bareTemplate = /(?:^|[:-])[ \t]*\{\{/m;

/**
 * Writes a fix into the text of its manifest: fields are merged, list entries are added at the end, comments and
 * everything else stay. Gives `undefined` where the text does not allow it: no valid YAML, templates around the place, or
 * a field that is there already with another value that is no list and no group of fields.
 *
 * *Does not check*: that the result is what somebody wants; read it before you deploy it.
 */
export function applyFix(text: string, fix: Fix): string | undefined {
  if (bareTemplate.test(text)) return undefined;
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined;
  const document = documentAt(documents, text, fix.line ?? 1);
  const patch = parseDocument(fix.yaml);
  if (document === undefined || !isMap(document.contents) || !isMap(patch.contents)) return undefined;
  if (!merge(document, document.contents, patch.contents)) return undefined;
  // the text of the first document begins with the file: comments may stand above it
  const from = document === documents[0] ? 0 : document.range[0];
  const [, , to] = document.range;
  const padded = text.slice(from, to).includes("{ ");
  return `${text.slice(0, from)}${document.toString({ lineWidth: 0, flowCollectionPadding: padded })}${text.slice(to)}`;
}

function documentAt(
  documents: readonly Document.Parsed[],
  text: string,
  line: number,
): Document.Parsed | undefined {
  let offset = 0;
  for (let left = line - 1; left > 0; left--) offset = text.indexOf("\n", offset) + 1;
  return documents.findLast(
    (document) => document.contents !== null && (document.contents.range[0] ?? 0) <= offset,
  );
}

/** Takes the fields of `more` into `into`; false where that would overwrite something of another kind. */
function merge(document: Document.Parsed, into: YAMLMap, more: YAMLMap): boolean {
  return more.items.every(({ key, value }) => {
    const own = into.get(key, true);
    const present: Node | undefined = isAlias(own) ? own.resolve(document) : own;
    // an empty field (`inbound:`) is a scalar without a value
    if (present === undefined || isEmpty(present)) {
      into.set(key, value);
      return true;
    }
    if (isMap(present) && isMap(value)) return merge(document, present, value);
    if (isSeq(present) && isSeq(value)) {
      for (const item of value.items) present.add(item);
      return true;
    }
    into.set(key, value);
    return !isMap(present) && !isSeq(present);
  });
}

function isEmpty(node: Node): boolean {
  return "value" in node && node.value === null;
}

// Links in Markdown files: whatever points into this repository must be there, headings included.

import { stat } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { filesOf, root, textOf } from "./tree.ts";

const fence = /^(```|~~~).*?^\1/gmsu;
const link = /\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/gmu;

/** The anchor that a Markdown heading gets. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/gu, "-");
}

function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of markdown.replaceAll(fence, "").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gmu)) {
    const anchor = anchorOf(heading);
    let unique = anchor;
    for (let nth = 1; anchors.has(unique); nth += 1) unique = `${anchor}-${nth}`;
    anchors.add(unique);
  }
  return anchors;
}

/** A link in a file, as text. */
interface Link {
  readonly file: string;
  readonly target: string;
}

/** The links of a Markdown text; code is no text. */
export function linksIn(file: string, markdown: string): Link[] {
  const text = markdown.replaceAll(fence, "").replaceAll(/`[^`\n]*`/gu, "");
  return [...text.matchAll(link)].map(([, inline, reference]) => ({
    file,
    target: inline ?? reference ?? "",
  }));
}

/** What is wrong with a link, or undefined. `read` gives the text of a file or folder of the tree, undefined if there is none. */
export async function problemOf(
  { file, target }: Link,
  read: (path: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (/^[a-z][a-z0-9+.-]*:/iu.test(target)) return undefined;
  const [path = "", anchor] = decodeURI(target).split("#");
  const aim = path === "" ? file : normalize(join(dirname(file), path));
  const text = aim.startsWith("..") ? undefined : await read(aim);
  if (text === undefined) return `${file}: ${target} points to nothing`;
  if (anchor === undefined || !aim.endsWith(".md")) return undefined;
  return anchorsOf(text).has(anchor) ? undefined : `${file}: ${target} points to no heading`;
}

async function readFromTree(path: string): Promise<string | undefined> {
  const found = await stat(join(root, path)).catch(() => undefined);
  if (!found) return undefined;
  return found.isFile() ? textOf(path) : "";
}

/** Problems with the links of all Markdown files, one line each. */
export async function brokenLinks(): Promise<string[]> {
  const problems: string[] = [];
  for (const file of await filesOf("**/*.md")) {
    for (const one of linksIn(file, await textOf(file))) {
      const problem = await problemOf(one, readFromTree);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return problems;
}

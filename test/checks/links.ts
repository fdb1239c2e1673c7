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

async function problemOf(file: string, target: string): Promise<string | undefined> {
  if (/^[a-z][a-z0-9+.-]*:/iu.test(target)) return undefined;
  const [path = "", anchor] = decodeURI(target).split("#");
  const aim = path === "" ? file : normalize(join(dirname(file), path));
  const found = await stat(join(root, aim)).catch(() => undefined);
  if (!found || aim.startsWith("..")) return `${file}: ${target} points to nothing`;
  if (anchor === undefined || !aim.endsWith(".md")) return undefined;
  return anchorsOf(await textOf(aim)).has(anchor) ? undefined : `${file}: ${target} points to no heading`;
}

/** Problems with the links of all Markdown files, one line each. */
export async function brokenLinks(): Promise<string[]> {
  const problems: string[] = [];
  for (const file of await filesOf("**/*.md")) {
    const text = (await textOf(file)).replaceAll(fence, "").replaceAll(/`[^`\n]*`/gu, "");
    for (const [, inline, reference] of text.matchAll(link)) {
      const problem = await problemOf(file, inline ?? reference ?? "");
      if (problem !== undefined) problems.push(problem);
    }
  }
  return problems;
}

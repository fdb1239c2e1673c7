// Documents that are printed from the code. `npm run docs` writes them; `npm run check` fails when one is stale.
//
// To add one: a row whose `render` returns the whole Markdown text, from the schema or table that the code uses.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

interface GeneratedDocument {
  /** Path inside docs/. */
  readonly file: string;
  readonly render: () => Promise<string>;
}

/** Every generated document. */
export const documents: readonly GeneratedDocument[] = [];

/** The documents whose file in `folder` differs from what the code says. */
export async function stale(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const { file, render } of documents) {
    const there = await readFile(resolve(folder, file), "utf8").catch(() => undefined);
    if (there !== (await render())) files.push(file);
  }
  return files;
}

if (import.meta.main) {
  for (const { file, render } of documents) {
    const path = resolve(import.meta.dirname, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await render());
    console.log(`wrote docs/${file}`);
  }
}

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

async function isStale({ file, render }: GeneratedDocument): Promise<boolean> {
  const there = await readFile(resolve(import.meta.dirname, file), "utf8").catch(() => undefined);
  return there !== (await render());
}

async function main(check: boolean): Promise<void> {
  for (const document of documents) {
    if (!(await isStale(document))) continue;
    if (check) {
      console.error(`docs/${document.file} is not what the code says: run npm run docs`);
      process.exitCode = 1;
      continue;
    }
    const path = resolve(import.meta.dirname, document.file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await document.render());
    console.log(`wrote docs/${document.file}`);
  }
}

await main(process.argv.includes("--check"));

// Requirements that tests anywhere in the tree are named after: "RFC 9207 section 2.4: an answer that …".

import { glob, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Requirement, Specification } from "./table.ts";

const root = resolve(import.meta.dirname, "..");
const named =
  /"((RFC \d+|OpenID Connect [A-Z][\w-]*(?: [A-Z][\w-]*)*) (?:section )?([\d.]+(?: rule \d+| \(\d+\))?)[^":]*: ([^"]+))"/gu;

interface NamedTest {
  readonly specification: string;
  readonly requirement: Requirement;
}

/** The requirements that the tests of one file are named after. */
export function namedIn(file: string, text: string): NamedTest[] {
  return [...text.matchAll(named)].map(([, name = "", specification = "", section = "", says = ""]) => ({
    specification,
    requirement: { section, level: "-", says, test: [file, name] },
  }));
}

/** The tables, with a row for every test in the tree that is named after a requirement and has none. */
export async function withNamedTests(tables: readonly Specification[]): Promise<Specification[]> {
  const linked = new Set(
    tables.flatMap(({ requirements }) =>
      requirements.flatMap((row) => ("test" in row ? [row.test.join("\n")] : [])),
    ),
  );
  const found: NamedTest[] = [];
  const files = glob("{packages,apps,test}/**/*.test.ts", {
    cwd: root,
    exclude: (name) => name === "node_modules",
  });
  for await (const file of files) found.push(...namedIn(file, await readFile(resolve(root, file), "utf8")));
  const fresh = found.filter(
    ({ requirement }) => "test" in requirement && !linked.has(requirement.test.join("\n")),
  );
  const others = Object.groupBy(fresh, ({ specification }) => specification);
  const all = tables.map((table) => {
    const more = others[table.name]?.map(({ requirement }) => requirement) ?? [];
    return { ...table, requirements: [...table.requirements, ...more] };
  });
  const known = new Set(tables.map(({ name }) => name));
  for (const [name, rows = []] of Object.entries(others)) {
    if (!known.has(name))
      all.push({ name, title: "", requirements: rows.map(({ requirement }) => requirement) });
  }
  return all.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

// Applies rules.ts to sources. Pure: the test feeds it the tree, and fixtures that must fail.

import { dirname, join } from "node:path/posix";
import {
  emptyNames,
  filesPerFolder,
  foldersUnderSrc,
  outsideTheProduct,
  rooms,
  testsMayImport,
  words,
} from "./rules.ts";
import type { Import, RoomPackage, Source } from "./sources.ts";

/** The room of a path: "packages/oauth", "examples/portal", "conformance"; undefined for files at the root. */
export function roomOf(path: string): string | undefined {
  const [first = "", second = ""] = path.split("/");
  if (!path.includes("/")) return undefined;
  return first === "packages" || first === "apps" || first === "examples" ? `${first}/${second}` : first;
}

const ruleOf = (room: string): (typeof rooms)[string] | undefined =>
  rooms[room] ?? (room.startsWith("examples/") ? rooms["examples/*"] : undefined);

/** Is this file a test, or part of what tests share? */
function isTest(path: string): boolean {
  return (
    path.endsWith(".test.ts") || path.split("/").slice(0, -1).includes("test") || path.endsWith("/suite.ts")
  );
}

/** Plain JavaScript that finds the right Node and then imports the command's main.ts. */
const launcher = /^apps\/cli\/bin\//u;

type Packages = ReadonlyMap<string, RoomPackage>;

function importProblem(source: Source, imported: Import, packages: Packages): string | undefined {
  const room = roomOf(source.path) ?? "";
  const rule = ruleOf(room);
  if (!rule) return `${room} has no row in the table of rooms`;
  const { specifier } = imported;
  if (specifier.startsWith("computed: ")) {
    return isTest(source.path) || launcher.test(source.path)
      ? undefined
      : `an import that cannot be judged (${specifier})`;
  }
  if (specifier.startsWith(".")) {
    const target = join(dirname(source.path), specifier);
    if (roomOf(target) === room) return undefined;
    return `a deep import: ${specifier} leaves ${room}`;
  }
  if (specifier.startsWith("node:")) {
    return rule.node || isTest(source.path) ? undefined : `${specifier}: ${room} uses nothing of Node's`;
  }
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const target = [...packages].find(([, known]) => known.name === name);
  if (target) return roomImportProblem({ source, imported, target, name });
  if (rule.packages === undefined || isTest(source.path) || rule.packages.includes(name)) return undefined;
  return `${room} may not import the package ${name}`;
}

function roomImportProblem(o: {
  source: Source;
  imported: Import;
  target: readonly [string, RoomPackage];
  name: string;
}): string | undefined {
  const room = roomOf(o.source.path) ?? "";
  const [targetRoom, known] = o.target;
  const subpath = `.${o.imported.specifier.slice(o.name.length)}`;
  if (!known.exports.includes(subpath)) return `a deep import: ${o.imported.specifier} is not exported`;
  const rule = ruleOf(room);
  const may = isTest(o.source.path) ? [...(rule?.imports ?? []), ...testsMayImport] : (rule?.imports ?? []);
  if (targetRoom === room || may.includes(targetRoom)) return undefined;
  if (o.imported.typesOnly && rule?.typesOnly?.includes(targetRoom)) return undefined;
  return `${room} may not import ${targetRoom}`;
}

/** Imports against the table: directions, deep imports, Node's modules, packages from outside. */
export function judgeImports(sources: readonly Source[], packages: Packages): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const problem = importProblem(source, imported, packages);
      return problem === undefined ? [] : [`${source.path}: ${problem}`];
    }),
  );
}

/** Rooms that import each other in a circle, tests left out. */
export function judgeCycles(sources: readonly Source[], packages: Packages): string[] {
  const roomOfName = new Map([...packages].map(([room, known]) => [known.name, room]));
  const graph = new Map<string, Set<string>>();
  for (const source of sources.filter((one) => !isTest(one.path))) {
    const from = roomOf(source.path);
    if (from === undefined) continue;
    for (const { specifier } of source.imports) {
      const name = specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/");
      const to = roomOfName.get(name);
      if (to !== undefined && to !== from) graph.getOrInsertComputed(from, () => new Set()).add(to);
    }
  }
  const problems: string[] = [];
  const done = new Set<string>();
  const visit = (room: string, way: readonly string[]): void => {
    if (way.includes(room)) problems.push(`a cycle: ${[...way.slice(way.indexOf(room)), room].join(" -> ")}`);
    if (done.has(room) || way.includes(room)) return;
    for (const next of graph.get(room) ?? []) visit(next, [...way, room]);
    done.add(room);
  };
  for (const room of graph.keys()) visit(room, []);
  return problems;
}

/** Words that only some files may use. */
export function judgeWords(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, code }) =>
    words.flatMap(({ says, pattern, allowed, everywhere }) => {
      const exempt = everywhere !== true && (isTest(path) || outsideTheProduct.test(path));
      if (exempt || allowed.some((place) => place.test(path))) return [];
      const at = code.split("\n").findIndex((line) => pattern.test(line));
      return at < 0 ? [] : [`${path}:${at + 1}: ${says}`];
    }),
  );
}

/** Rooms whose entry does not say what they own. `entries` are the files that a room's header must stand in. */
export function judgeHeaders(sources: readonly Source[], entries: readonly string[]): string[] {
  return entries.flatMap((entry) => {
    const source = sources.find(({ path }) => path === entry);
    if (!source) return [`${entry}: is missing`];
    const lacks = ["Owns", "Does not own"].filter((word) => !source.header.includes(word));
    return lacks.length > 0 ? [`${entry}: its header comment lacks "${lacks.join('" and "')}"`] : [];
  });
}

/** Folders with empty names, with too many files, or too deep. */
export function judgeFolders(paths: readonly string[]): string[] {
  const problems = new Set<string>();
  const files = new Map<string, number>();
  for (const path of paths) {
    const folder = dirname(path);
    // Tests stand beside what they test, and do not make a folder harder to read.
    if (!isTest(path)) files.set(folder, (files.get(folder) ?? 0) + 1);
    const empty = folder.split("/").find((name) => emptyNames.has(name));
    if (empty !== undefined) problems.add(`${folder}: a folder named ${empty} says nothing`);
    const [, below = ""] = /\/src\/(.+)$/u.exec(folder) ?? [];
    if (below.split("/").length > foldersUnderSrc) problems.add(`${folder}: deeper than src/a/b`);
  }
  for (const [folder, count] of files) {
    if (folder !== "." && !folder.startsWith("docs") && count > filesPerFolder) {
      problems.add(`${folder}: ${count} files, more than ${filesPerFolder}`);
    }
  }
  return [...problems];
}

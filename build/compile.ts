import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { publishedManifest, readManifest, root } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { run } from "./programs.ts";
import type { Published } from "./published.ts";

/** A workspace's source, as it lies in the staging folder. */
interface Staged {
  readonly manifest: Manifest;
  /** Where its `src` was copied to. */
  readonly at: string;
}

/**
 * Compiles a workspace, with what it inlines, to a package that stands alone: `package` in `place`, which is emptied first. Imports of inlined
 * workspaces become relative ones; that is all that is changed before `tsc` sees it. `place` lies inside the repository, so that
 * dependencies are found.
 */
export async function compile({ folder, inline, onlyUsed }: Published, place: string): Promise<string> {
  await rm(place, { recursive: true, force: true });
  const source = join(place, "source");
  const own: Staged = { manifest: await readManifest(folder), at: source };
  await copySource(folder, own.at);
  const inlined: Staged[] = [];
  for (const other of inline) {
    const at = join(source, "inlined", basename(other));
    await copySource(other, at);
    inlined.push({ manifest: await readManifest(other), at });
  }
  await rewriteImports(source, inlined);
  const used = onlyUsed === true ? await keepUsed(source, own.manifest) : undefined;
  const result = join(place, "package");
  await writeFile(join(place, "tsconfig.json"), compilerSettings(result));
  await run("tsc", ["-p", join(place, "tsconfig.json")]);
  const manifest = publishedManifest(
    own.manifest,
    inlined.map((one) => one.manifest),
    used,
  );
  await copyOthers(source, join(result, "lib"));
  await writeFile(join(result, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(resolve(root, folder, "README.md"), join(result, "README.md"));
  await cp(resolve(root, "LICENSE"), join(result, "LICENSE"));
  return result;
}

function compilerSettings(outDir: string): string {
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: "source",
    outDir: join(outDir, "lib"),
    // Whoever builds for older runtimes than the supported ones has a compiler of their own.
    target: "es2023",
    lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
  };
  const extending = resolve(root, "tsconfig.json");
  return JSON.stringify({ extends: extending, compilerOptions, include: ["source"], exclude: [] });
}

async function copySource(folder: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const filter = (path: string): boolean => !path.endsWith(".test.ts");
  await cp(resolve(root, folder, "src"), to, { recursive: true, filter });
}

const specifier = /(\bfrom\s*|\bimport\s*\(?\s*)"(@portvakt\/[^"]+)"/g;

async function rewriteImports(source: string, inlined: readonly Staged[]): Promise<void> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file, "utf8");
    const rewritten = text.replaceAll(specifier, (_all, before: string, name: string) => {
      const target = relative(entry.parentPath, sourceOf(name, inlined));
      return `${before}"${target.startsWith(".") ? target : `./${target}`}"`;
    });
    if (rewritten !== text) await writeFile(file, rewritten);
  }
}

const anyImport = /(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g;

/** Removes the files that the entries do not lead to; gives the packages outside that the rest imports. */
async function keepUsed(source: string, { exports }: Manifest): Promise<ReadonlySet<string>> {
  const packages = new Set<string>();
  const kept = new Set<string>();
  const waiting = Object.values(exports).map((entry) => join(source, entry.replace(/^\.\/src\//, "")));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (kept.has(file)) continue;
    kept.add(file);
    for (const [, name = ""] of (await readFile(file, "utf8")).matchAll(anyImport)) {
      if (name.startsWith(".")) waiting.push(join(dirname(file), name));
      else if (!name.startsWith("node:")) packages.add(packageOf(name));
    }
  }
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && file.endsWith(".ts") && !kept.has(file)) await rm(file);
  }
  return packages;
}

/** `hono/html` is of `hono`, `@hono/node-server/x` of `@hono/node-server`. */
function packageOf(name: string): string {
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}

/** Files that are no TypeScript, such as the personas: beside the compiled ones, as they were beside the source. */
async function copyOthers(source: string, lib: string): Promise<void> {
  const filter = async (path: string): Promise<boolean> =>
    (await stat(path)).isDirectory() || !path.endsWith(".ts");
  await cp(source, lib, { recursive: true, filter });
}

/** The file that an import of an inlined workspace leads to, by that workspace's own `exports`. */
function sourceOf(name: string, inlined: readonly Staged[]): string {
  const [scope, workspace, ...rest] = name.split("/");
  const staged = inlined.find((one) => one.manifest.name === `${scope}/${workspace}`);
  const exported = staged?.manifest.exports[[".", ...rest].join("/")];
  if (staged === undefined || exported === undefined) {
    throw new Error(`${name} is imported, but it is neither published nor named in build/published.ts`);
  }
  return join(staged.at, exported.replace(/^\.\/src\//, ""));
}

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

/** The part of a package.json that packing reads. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license: string;
  readonly keywords?: readonly string[];
  /** Subpath to TypeScript source, both with a leading `./`. */
  readonly exports: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>;
}

/** The root of the repository. */
export const root: string = resolve(import.meta.dirname, "..");

/** A workspace's package.json. */
export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(resolve(root, folder, "package.json"), "utf8")) as Manifest;
}

const compiled = (source: string, ending: string): string =>
  source.replace(/^\.\/src\//, "./lib/").replace(/\.ts$/, ending);

/**
 * The package.json that is published: exports lead to compiled files and their types; what was compiled in is no dependency
 * any more, but what that depends on is: of it only what is `used`, when that is given.
 */
export function publishedManifest(
  own: Manifest,
  inlined: readonly Manifest[],
  used?: ReadonlySet<string>,
): Record<string, unknown> {
  const inside = new Set(inlined.map((one) => one.name));
  const all = [own, ...inlined].flatMap((one) => Object.entries(one.dependencies ?? {}));
  const dependencies = Object.fromEntries(
    all
      .filter(([name]) => !inside.has(name) && (used?.has(name) ?? true))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const { name, version, description, keywords, license, bin, peerDependencies, peerDependenciesMeta } = own;
  const exports = Object.entries(own.exports).map(([path, source]) => [
    path,
    { types: compiled(source, ".d.ts"), default: compiled(source, ".js") },
  ]);
  return {
    ...{ name, version, description, keywords, license, type: "module", sideEffects: false },
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    ...(bin && { bin: Object.fromEntries(Object.entries(bin).map(([to, at]) => [to, compiled(at, ".js")])) }),
    files: ["lib"],
    engines: own.engines ?? { node: ">=20" },
    ...{ dependencies, peerDependencies, peerDependenciesMeta },
  };
}

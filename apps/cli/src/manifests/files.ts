import { readFile, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ManifestSource } from "@portvakt/policy";
import { parse } from "yaml";
import { CommandError, exitCodes, systemReason } from "../failure.ts";

const mostFiles = 20_000;
const mostDepth = 12;
const passedOver: ReadonlySet<string> = new Set(["node_modules", "target", "build", "dist"]);
/** Folders with a dot are passed over, but for the one where deploy tools look for manifests. */
const dotted: ReadonlySet<string> = new Set([".nais"]);

/** Where manifests are, or may be: files by name, and folders in which every YAML file counts. */
export interface ManifestPlaces {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * Reads manifests: files as they are, of folders every `.yaml` and `.yml` below that may be a manifest of ours. Names stay
 * as they were given, relative to `folder`. *Throws*: CommandError for what cannot be read.
 */
export async function readManifestFiles(paths: readonly string[], folder: string): Promise<ManifestSource[]> {
  const sources: ManifestSource[] = [];
  for (const path of paths) {
    if (!(await isFolder(path, folder))) {
      sources.push({ file: path, text: await readText(path, folder) });
      continue;
    }
    for (const file of (await walk(path, folder, 0)).files) {
      const text = await readText(file, folder);
      // a folder holds all kinds of YAML; only what names one of our kinds is worth an error
      if (/\b(?:nais\.io|portvakt\.dev)\//.test(text)) sources.push({ file, text });
      if (sources.length > mostFiles) throw new CommandError(`more than ${mostFiles} manifests in ${path}`);
    }
  }
  return sources;
}

/** Where a change would change what `readManifestFiles` gives; absolute paths. What is not there now is a file. */
export async function manifestPlaces(paths: readonly string[], folder: string): Promise<ManifestPlaces> {
  const found = await Promise.all(
    paths.map(async (path): Promise<ManifestPlaces> => {
      const isThere = await isFolder(path, folder).catch(() => false);
      if (!isThere) return { files: [path], folders: [] };
      return { files: [], folders: (await walk(path, folder, 0)).folders };
    }),
  );
  const whole = (path: string): string => resolve(folder, path);
  return {
    files: found.flatMap(({ files }) => files.map(whole)),
    folders: found.flatMap(({ folders }) => folders.map(whole)),
  };
}

async function isFolder(path: string, folder: string): Promise<boolean> {
  const kind = await stat(resolve(folder, path)).catch((error: unknown) =>
    unreadable(`the manifest ${path}`, error),
  );
  return kind.isDirectory();
}

/** Is this the name of a file that may be a manifest? */
export function isYaml(name: string): boolean {
  return /\.ya?ml$/.test(name);
}

/** The YAML files in a folder, and the folder itself with all below it that are looked into. */
async function walk(path: string, folder: string, depth: number): Promise<ManifestPlaces> {
  if (depth > mostDepth) return { files: [], folders: [] };
  const entries = await readdir(resolve(folder, path), { withFileTypes: true });
  const found = await Promise.all(
    entries
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(async (entry): Promise<ManifestPlaces> => {
        const own = join(path, entry.name);
        if (entry.isFile()) return { files: isYaml(entry.name) ? [own] : [], folders: [] };
        const skipped = passedOver.has(entry.name) || (entry.name.startsWith(".") && !dotted.has(entry.name));
        return entry.isDirectory() && !skipped
          ? await walk(own, folder, depth + 1)
          : { files: [], folders: [] };
      }),
  );
  return {
    files: found.flatMap(({ files }) => files),
    folders: [path, ...found.flatMap(({ folders }) => folders)],
  };
}

/** Values for templates, of several files; a later one counts. *Throws*: CommandError. */
export async function readValues(paths: readonly string[], folder: string): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const path of paths) {
    const content: unknown = parsed(await readText(path, folder, "the values in"), path);
    if (content === null) continue;
    if (typeof content !== "object" || Array.isArray(content)) {
      throw new CommandError(`${path} should hold fields (name: value)`, { exitCode: exitCodes.usage });
    }
    Object.assign(values, content);
  }
  return values;
}

function parsed(text: string, path: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new CommandError(`${path} is no valid YAML`, { exitCode: exitCodes.usage, cause: error });
  }
}

async function readText(path: string, folder: string, what = "the manifest"): Promise<string> {
  return await readFile(resolve(folder, path), "utf8").catch((error: unknown) =>
    unreadable(`${what} ${path}`, error),
  );
}

function unreadable(what: string, cause: unknown): never {
  const reason = systemReason(cause);
  throw new CommandError(`${what} cannot be read${reason === undefined ? "" : `: ${reason}`}`, {
    exitCode: exitCodes.usage,
    cause,
  });
}

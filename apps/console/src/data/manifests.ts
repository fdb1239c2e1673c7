import { glob, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createLandscape, movedTo, parseManifests, type Application, type Landscape } from "@portvakt/policy";
import { parse } from "yaml";

export interface ManifestPlaces {
  /** Manifests, and folders of them. */
  readonly manifests: readonly string[];
  readonly values: readonly string[];
  readonly cluster: string;
  readonly namespace: string;
  /** Paths of manifests are told from here. */
  readonly manifestRoot: string;
  /** The applications in force as JSON, in the place of manifests. */
  readonly applicationsFile: string | undefined;
}

/** What is in force, and what is wrong with what was written since. */
export interface Current {
  readonly landscape: Landscape;
  readonly problems: readonly string[];
}

export type ReadCurrent = () => Promise<Current>;

const mostFiles = 20_000;
const mostBytes = 64_000_000;
/** Folders that hold no manifests of the project's own. */
const passedOver: ReadonlySet<string> = new Set(["node_modules", "target", "build", "dist", ".git"]);

/**
 * The applications of the manifests, read anew when a file has changed; asked again within a second, it does not look. While
 * something is wrong with what was written, that is told and what was read before stays.
 */
export function watchedManifests(places: ManifestPlaces, now: () => number): ReadCurrent {
  let current: Current = { landscape: createLandscape([]), problems: [] };
  let seen: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<Current> | undefined;

  const look = async (): Promise<Current> => {
    const files = await filesOf(places);
    const mark = await markOf([...files, ...places.values]);
    if (mark === seen) return current;
    const { applications, problems } = await readAll(places, files);
    const kept = problems.length > 0 && current.landscape.applications.size > 0;
    const landscape = kept ? current.landscape : createLandscape(applications);
    seen = mark;
    return { landscape, problems };
  };
  return () => {
    const age = now() - lookedAt;
    if (pending === undefined && age >= 0 && age < 1) return Promise.resolve(current);
    pending ??= look()
      .catch((error: unknown): Current => ({ ...current, problems: [sentenceOf(error)] }))
      .then((found) => {
        current = found;
        lookedAt = now();
        pending = undefined;
        return found;
      });
    return pending;
  };
}

/** Which files there are, when each was written, and how long each is. */
async function markOf(files: readonly string[]): Promise<string> {
  const marks = await Promise.all(
    files.map(async (file) => {
      const { mtimeMs, size } = await stat(file);
      return `${file} ${mtimeMs} ${size}`;
    }),
  );
  return marks.join("\n");
}

async function filesOf({ manifests, applicationsFile }: ManifestPlaces): Promise<readonly string[]> {
  if (applicationsFile !== undefined) return [applicationsFile];
  const found: string[] = [];
  for (const place of manifests) {
    const isFolder = (await stat(place)).isDirectory();
    if (!isFolder) found.push(place);
    else found.push(...(await yamlFiles(place)));
    if (found.length > mostFiles) throw new Error(`there are more than ${mostFiles} manifests`);
  }
  return found;
}

async function yamlFiles(folder: string): Promise<string[]> {
  const names = glob("**/*.{yaml,yml}", { cwd: resolve(folder), exclude: (name) => passedOver.has(name) });
  return (await Array.fromAsync(names)).toSorted().map((name) => join(folder, name));
}

async function readAll(
  places: ManifestPlaces,
  files: readonly string[],
): Promise<{ readonly applications: readonly Application[]; readonly problems: readonly string[] }> {
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, "utf8") })));
  if (texts.reduce((sum, { text }) => sum + text.length, 0) > mostBytes)
    throw new Error(`the manifests are larger than ${mostBytes / 1_000_000} MB together`);
  if (places.applicationsFile !== undefined) {
    const applications: Application[] = JSON.parse(texts[0]?.text ?? "[]");
    return {
      applications: applications.map((one) => movedTo(one, fromRoot(one.source.file, places))),
      problems: [],
    };
  }
  const { cluster, namespace } = places;
  // a folder holds all kinds of YAML; what was named as a file is a manifest
  const sources = texts
    .filter(
      ({ file, text }) => places.manifests.includes(file) || /\b(?:nais\.io|portvakt\.dev)\//.test(text),
    )
    .map(({ file, text }) => ({ file: fromRoot(file, places), text }));
  const values = { cluster, namespace, image: "local", ...(await readValues(places.values)) };
  const parsed = parseManifests(sources, { cluster, namespace, values });
  const problems = parsed.problems.map(
    ({ file, line, column, message, hint }) => `${file}:${line}:${column}: ${message} (${hint})`,
  );
  return { applications: parsed.applications, problems };
}

function fromRoot(file: string, { manifestRoot }: ManifestPlaces): string {
  return file.startsWith(manifestRoot) ? file.slice(manifestRoot.length) : file;
}

async function readValues(files: readonly string[]): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const file of files) {
    const content: unknown = parse(await readFile(file, "utf8"), { maxAliasCount: 100 });
    if (typeof content === "object" && content !== null) Object.assign(values, content);
  }
  return values;
}

function sentenceOf(error: unknown): string {
  if (error instanceof Error && "code" in error && "path" in error)
    return `${String(error.path)} cannot be read (${String(error.code)})`;
  if (error instanceof SyntaxError) return "a file is no JSON, or is being written";
  return error instanceof Error ? error.message : "the manifests cannot be read";
}

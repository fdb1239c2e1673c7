import { access, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, exitCodes } from "../failure.ts";
import { frameworks, type Framework, type Style } from "./frameworks.ts";

/** An existing application, as far as its folder tells. */
export interface Project {
  readonly folder: string;
  readonly framework: Framework;
  /** package.json, as it stands. */
  readonly packageText: string;
  readonly manifest: PackageManifest;
  readonly place: Place;
  /** How its files are written. */
  readonly style: Style;
  /** The program that installs its dependencies and runs its scripts. */
  readonly manager: Manager;
}

/** Where a route can be added; files and folders are relative to the project's. */
export type Place =
  /** In the file that makes the application. */
  | { readonly kind: "entry"; readonly file: string; readonly text: string }
  /** In a file of its own, below the folder whose files are the routes. */
  | { readonly kind: "routes"; readonly folder: string };

export interface PackageManifest {
  readonly name?: string;
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const managers = {
  "pnpm-lock.yaml": "pnpm",
  "yarn.lock": "yarn",
  "bun.lock": "bun",
  "package-lock.json": "npm",
} as const;
export type Manager = (typeof managers)[keyof typeof managers];

const places = ["src", "app", "server", "lib", "."] as const;
const source = /\.(?:ts|mts|js|mjs|cjs)$/;
const mostFiles = 2000;

/** Looks at a folder. *Throws*: CommandError where it is no application of a known framework, or was set up before. */
export async function openProject(folder: string): Promise<Project> {
  const packageText = await readFile(join(folder, "package.json"), "utf8").catch((error: unknown) => {
    throw new CommandError("there is no package.json here", {
      hints: ["run it in the folder of an application"],
      exitCode: exitCodes.usage,
      cause: error,
    });
  });
  const manifest = readPackage(packageText);
  const framework = frameworkOf(manifest);
  const place = (await findEntry(folder, framework)) ?? (await findRoutes(folder, framework));
  if (place === undefined) {
    throw new CommandError(framework.missing, {
      hints: ["run it where the application is, or follow the README of @portvakt/sdk"],
      exitCode: exitCodes.no,
    });
  }
  const style = await styleOf(folder, manifest, place);
  return { folder, framework, packageText, manifest, place, style, manager: await managerOf(folder) };
}

function readPackage(text: string): PackageManifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CommandError("package.json is no valid JSON", { exitCode: exitCodes.usage, cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new CommandError("package.json is no JSON object", { exitCode: exitCodes.usage });
  return parsed;
}

function frameworkOf(manifest: PackageManifest): Framework {
  const all = { ...manifest.devDependencies, ...manifest.dependencies };
  const framework = frameworks.find(({ dependency }) => all[dependency] !== undefined);
  if (framework === undefined) {
    throw new CommandError(
      `none of ${frameworks.map(({ title }) => title).join(", ")} is among the dependencies`,
      {
        hints: [
          "other applications ask for tokens and validate them by @portvakt/sdk itself; its README shows how",
        ],
        exitCode: exitCodes.no,
      },
    );
  }
  if (all["@portvakt/sdk"] !== undefined) {
    throw new CommandError("this application has @portvakt/sdk already", {
      hints: ["`portvakt doctor` looks at what it declares"],
      exitCode: exitCodes.no,
    });
  }
  return framework;
}

async function findEntry(folder: string, { creation }: Framework): Promise<Place | undefined> {
  if (creation === undefined) return undefined;
  for (const place of places) {
    const names: string[] = await readdir(join(folder, place), { recursive: place !== "." }).catch(() => []);
    for (const name of names.toSorted((one, other) => (one < other ? -1 : 1)).slice(0, mostFiles)) {
      if (!source.test(name) || /(?:^|\/)node_modules\/|\.(?:test|spec)\./.test(name)) continue;
      const file = join(place, name);
      const text = await readFile(join(folder, file), "utf8").catch(() => "");
      if (creation.test(text)) return { kind: "entry", file, text };
    }
  }
  return undefined;
}

async function findRoutes(folder: string, { routes }: Framework): Promise<Place | undefined> {
  for (const candidate of routes?.folders ?? []) {
    if (await exists(folder, candidate)) return { kind: "routes", folder: candidate };
  }
  return undefined;
}

/** How its own files are written: by the entry, else by what lies in the folder of routes. */
async function styleOf(folder: string, manifest: PackageManifest, place: Place): Promise<Style> {
  const settings = await readFile(join(folder, "tsconfig.json"), "utf8").catch(() => "");
  if (place.kind === "routes") {
    const names = await readdir(join(folder, place.folder), { recursive: true });
    const typed = names.some((name) => /\.tsx?$/.test(name));
    const text = await firstText(folder, place.folder, names);
    return spelling(typed ? ".ts" : ".js", text, settings, manifest);
  }
  const { file, text } = place;
  return spelling(file.slice(file.lastIndexOf(".")), text, settings, manifest);
}

async function firstText(folder: string, below: string, names: readonly string[]): Promise<string> {
  const name = names.toSorted().find((one) => source.test(one));
  return name === undefined ? "" : await readFile(join(folder, below, name), "utf8");
}

function spelling(extension: string, text: string, settings: string, { type }: PackageManifest): Style {
  const typed = extension.endsWith("ts");
  const imports = /^import /m.test(text);
  const requires = /\brequire\(|\bmodule\.exports\b/.test(text);
  const common =
    extension === ".cjs" || (!typed && extension === ".js" && type !== "module" && (requires || !imports));
  return { typed, common, extension, ending: typed ? typedEnding(text, settings) : extension };
}

/** The way TypeScript files of this project name each other: as this one does, else as its compiler wants it. */
function typedEnding(text: string, settings: string): string {
  const used = /from ["']\.[^"']*?(\.[mc]?[jt]s)?["']/.exec(text);
  if (used !== null) return used[1] ?? "";
  if (
    settings === "" ||
    /"(?:allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/.test(settings)
  )
    return ".ts";
  return /"module"\s*:\s*"node/i.test(settings) ? ".js" : "";
}

async function managerOf(folder: string): Promise<Manager> {
  for (const [lock, manager] of Object.entries(managers)) {
    if (await exists(folder, lock)) return manager;
  }
  return "npm";
}

/** Does a file of the project exist? */
export async function exists(folder: string, file: string): Promise<boolean> {
  return await access(join(folder, file)).then(
    () => true,
    () => false,
  );
}

import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { readManifest, root } from "./manifest.ts";
import { runNext } from "./next.ts";
import { run } from "./programs.ts";

/** An empty project with the packed package in it. */
export interface Project {
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Installs a tarball into an empty project, as `npm install` does. `beside` are folders of packages that it depends on: given,
 * the registry is not asked for them.
 */
export async function installInto(tarball: string, beside: readonly string[] = []): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-installed-"));
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const packed: string[] = [];
  for (const one of beside) {
    const printed = await run("npm", [
      "pack",
      resolve(root, one),
      "--ignore-scripts",
      "--pack-destination",
      folder,
    ]);
    packed.push(join(folder, printed.trim().split("\n").at(-1) ?? ""));
  }
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", ...(beside.length > 0 ? ["--offline"] : [])];
  await run("npm", ["install", ...flags, tarball, ...packed], { cwd: folder });
  for (const file of ["use-sdk.ts", "run.ts"]) {
    await copyFile(resolve(import.meta.dirname, "installed", file), join(folder, file));
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

const runtimes = resolve(import.meta.dirname, "runtimes");

/** The runtimes that are not Node.js come from packages of their own, which only this needs: installed at the first use. */
async function runtimeProgram(name: "bun" | "deno"): Promise<string> {
  const there = await stat(join(runtimes, "node_modules/.package-lock.json")).then(
    () => true,
    () => false,
  );
  if (!there) await run("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: runtimes });
  return join(runtimes, "node_modules/.bin", name);
}

/** Each way to use an installed package; all print what the program printed. */
export const uses: Readonly<Record<string, (project: Project) => Promise<string>>> = {
  "types, without Node's": checkTypes,
  "Node.js": async ({ folder }) => run("node", ["run.ts"], { cwd: folder }),
  Bun: async ({ folder }) => run(await runtimeProgram("bun"), ["run.ts"], { cwd: folder }),
  // With no permission at all: without its variables the SDK has results to say so, and no exceptions.
  Deno: async ({ folder }) =>
    run(await runtimeProgram("deno"), ["run", "--no-prompt", "run.ts"], {
      cwd: folder,
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    }),
  "a bundle with nothing but the web's names": runBundle,
  "Next.js": runNext,
};

/** Whoever installs it has other settings and no types of Node's. */
async function checkTypes({ folder }: Project): Promise<string> {
  const compilerOptions = {
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, types: [] },
    ...{ module: "nodenext", target: "es2022", lib: ["es2022", "dom", "dom.iterable"] },
    allowImportingTsExtensions: true,
  };
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["use-sdk.ts"], include: [] }),
  );
  await run("tsc", ["-p", folder]);
  return "compiles";
}

/** What a browser, a worker and an edge runtime all have; no `process`, no `Buffer`, no `require`. */
const webNames = [
  ...[
    "AbortController",
    "AbortSignal",
    "Headers",
    "Request",
    "Response",
    "TextDecoder",
    "TextEncoder",
    "URL",
  ],
  ...[
    "URLSearchParams",
    "atob",
    "btoa",
    "clearTimeout",
    "crypto",
    "CryptoKey",
    "fetch",
    "performance",
    "queueMicrotask",
  ],
  ...[
    "setTimeout",
    "structuredClone",
    "ReadableStream",
    "Blob",
    "FormData",
    "Event",
    "EventTarget",
    "Uint8Array",
  ],
] as const;

/** The SDK with jose, minified, and what the program that uses it brings. */
const maxBundleKilobytes = 64;

async function runBundle({ folder }: Project): Promise<string> {
  const out = join(folder, "bundle.js");
  await build({
    ...{ entryPoints: [join(folder, "use-sdk.ts")], outfile: out, bundle: true, minify: true },
    ...{ platform: "browser", format: "iife", globalName: "used", logLevel: "silent" },
  });
  const source = await readFile(out, "utf8");
  const names = webNames.map((name) => [name, (globalThis as Record<string, unknown>)[name]]);
  const context = createContext(Object.fromEntries(names));
  const said: unknown = await runInContext(`${source}; used.use()`, context);
  const size = source.length / 1024;
  if (size > maxBundleKilobytes) throw new Error(`${size.toFixed(1)} kB, and ${maxBundleKilobytes} at most`);
  return `${String(said)}, ${size.toFixed(0)} kB`;
}

/** The packages outside that a packed one needs, as folders that are installed here. */
export async function dependencyFolders(folder: string): Promise<readonly string[]> {
  const { dependencies = {} } = await readManifest(folder);
  return Object.keys(dependencies)
    .filter((name) => !name.startsWith("@portvakt/"))
    .map((name) => join("node_modules", name));
}

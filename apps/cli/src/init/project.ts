import { access, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, exitCodes } from "../failure.ts";
import { frameworks, type Framework } from "./frameworks.ts";

/** An existing application, as far as its folder tells. */
export interface Project {
  readonly folder: string;
  readonly framework: Framework;
  /** package.json, as it stands. */
  readonly packageText: string;
  readonly manifest: PackageManifest;
  /** The file that makes the application, relative to the folder, and its text; not for frameworks with routes as files. */
  readonly entry: { readonly file: string; readonly text: string } | undefined;
}

export interface PackageManifest {
  readonly name?: string;
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

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
  const manifest: PackageManifest = JSON.parse(packageText);
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
  const entry = framework.creation === undefined ? undefined : await findEntry(folder, framework.creation);
  if (framework.creation !== undefined && entry === undefined) {
    throw new CommandError(
      `no file here makes an application of ${framework.title}, at the start of a line`,
      {
        hints: ["run it where the file is, or follow the README of @portvakt/sdk"],
        exitCode: exitCodes.no,
      },
    );
  }
  return { folder, framework, packageText, manifest, entry };
}

async function findEntry(folder: string, creation: RegExp): Promise<Project["entry"]> {
  for (const place of places) {
    const names: string[] = await readdir(join(folder, place), { recursive: place !== "." }).catch(() => []);
    for (const name of names.toSorted((one, other) => (one < other ? -1 : 1)).slice(0, mostFiles)) {
      if (!source.test(name) || /(?:^|\/)node_modules\/|\.(?:test|spec)\./.test(name)) continue;
      const file = join(place, name);
      const text = await readFile(join(folder, file), "utf8").catch(() => "");
      if (creation.test(text)) return { file, text };
    }
  }
  return undefined;
}

/** Does a file of the project exist? */
export async function exists(folder: string, file: string): Promise<boolean> {
  return await access(join(folder, file)).then(
    () => true,
    () => false,
  );
}

import { readFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseManifests, type Application } from "@portvakt/policy";
import { CommandError, exitCodes } from "../failure.ts";

/** An application of the platform and the program that runs it, where this command is to start one. */
export interface Declared {
  readonly application: Application;
  /** The absolute path of its manifest. */
  readonly manifest: string;
  readonly program?: Program;
}

/** A module of ours to run, or a command of someone's project. */
export type Program = { readonly folder: string } & (
  | { readonly module: string }
  | { readonly command: readonly string[] }
);

const examples = fileURLToPath(new URL("../../../../examples/", import.meta.url));

/** The manifests of the example applications: every folder of examples/ with one. */
export async function exampleManifests(): Promise<{ file: string; text: string }[]> {
  const names = await readdir(examples).catch((error: unknown) => {
    throw new CommandError("the example applications are not installed here", {
      hints: ["`--demo` works in a clone of Portvakt; elsewhere give a manifest with -f"],
      cause: error,
    });
  });
  const sources = await Promise.all(
    names.map(async (name) => ({
      name,
      text: await readFile(join(examples, name, "app.yaml"), "utf8").catch(() => undefined),
    })),
  );
  return sources.flatMap(({ name, text }) =>
    text === undefined ? [] : [{ file: `examples/${name}/app.yaml`, text }],
  );
}

/** The example applications, each with its program. */
export async function demoApplications(cluster: string): Promise<Declared[]> {
  return parse(await exampleManifests(), cluster).map((application) => {
    const manifest = join(examples, "..", application.source.file);
    const folder = dirname(manifest);
    return { application, manifest, program: { folder, module: join(folder, "src", "main.ts") } };
  });
}

/** The applications of the given manifests; `command`, when there is one, runs the first of them. */
export async function foreignApplications(options: {
  files: readonly string[];
  command: readonly string[];
  folder: string;
  cluster: string;
}): Promise<Declared[]> {
  const { folder, cluster, command } = options;
  const sources = await Promise.all(
    options.files.map(async (file) => ({
      file,
      text: await readManifest(folder, file),
    })),
  );
  return parse(sources, cluster).map((application, index) => ({
    application,
    manifest: resolve(folder, application.source.file),
    ...(index === 0 && command.length > 0 ? { program: { folder, command } } : {}),
  }));
}

async function readManifest(folder: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(folder, file), "utf8");
  } catch (error) {
    throw new CommandError(`the manifest ${file} cannot be read`, {
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}

function parse(sources: readonly { file: string; text: string }[], cluster: string): Application[] {
  const values = { cluster, image: "local", namespace: "default" };
  const { applications, problems } = parseManifests(sources, { cluster, namespace: "default", values });
  const [first] = problems;
  if (first !== undefined) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    throw new CommandError(`${first.file}:${first.line}:${first.column}: ${first.message}${more}`, {
      hints: problems.flatMap(({ hint }) => (hint === undefined ? [] : [hint])).slice(0, 3),
      exitCode: exitCodes.usage,
    });
  }
  if (applications.length === 0) {
    throw new CommandError("no application is declared in these manifests", { exitCode: exitCodes.usage });
  }
  return applications;
}

import { dirname, join, resolve } from "node:path";
import type { Application } from "@portvakt/policy";
import { landscapeOf } from "../manifests/declared.ts";
import { exampleManifests, examples } from "../manifests/examples.ts";
import { readManifestFiles, readValues } from "../manifests/files.ts";

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

/** The example applications, each with its program. *Throws*: CommandError. */
export async function demoApplications(cluster: string): Promise<Declared[]> {
  const { applications } = await landscapeOf({ sources: await exampleManifests(), cluster });
  return [...applications.values()].map((application) => {
    const manifest = join(examples, "..", application.source.file);
    const folder = dirname(manifest);
    return { application, manifest, program: { folder, module: join(folder, "src", "main.ts") } };
  });
}

/**
 * The applications of the given manifests and folders; `command`, when there is one, runs the first of them, or the one that
 * it `ran` before: while that one's manifest is empty, nobody.
 *
 * *Throws*: CommandError with every problem.
 */
export async function foreignApplications(options: {
  files: readonly string[];
  values?: readonly string[];
  command: readonly string[];
  ran?: string | undefined;
  folder: string;
  cluster: string;
}): Promise<Declared[]> {
  const { files, folder, cluster, command } = options;
  const [sources, values] = await Promise.all([
    readManifestFiles(files, folder),
    readValues(options.values ?? [], folder),
  ]);
  const { applications } = await landscapeOf({ sources, values, cluster });
  const [first] = applications.keys();
  const runs = options.ran ?? first;
  return [...applications.values()].map((application) => ({
    application,
    manifest: resolve(folder, application.source.file),
    ...(application.id === runs && command.length > 0 ? { program: { folder, command } } : {}),
  }));
}

import { access } from "node:fs/promises";
import { relative, resolve } from "node:path";
import {
  createLandscape,
  movedTo,
  parseApplicationId,
  parseManifests,
  type Landscape,
  type Problem,
} from "@portvakt/policy";
import { exampleManifests } from "./examples.ts";
import { readApplications, readState, type DevState } from "../running/state.ts";
import { CommandError, exitCodes, usageError } from "../failure.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { readManifestFiles, readValues } from "./files.ts";

/** What the manifests declare that a verb was given, or found. */
export interface Declaration extends Landscape {
  readonly cluster: string;
  /** The platform that runs here, if one does. */
  readonly running: DevState | undefined;
}

/** Where a project keeps its manifests, where nothing else is said. */
const usualPlaces = [".nais", "nais.yaml", "nais.yml", "app.yaml", "app.yml"] as const;
const defaultCluster = "local";

/**
 * The manifests that a verb is about: those of `-f`; else those of `--demo`; else those in force on the platform that runs
 * here; else those in the usual places of this folder. *Throws*: CommandError that lists every problem in them.
 */
export async function declaration(verb: string, args: Arguments, around: Surroundings): Promise<Declaration> {
  const stateFolder = resolve(around.folder, text(args, "state") ?? ".portvakt");
  const running = await readState(stateFolder);
  const cluster = text(args, "cluster") ?? defaultCluster;
  const given = texts(args, "file");
  const found = async (): Promise<Landscape> => {
    if (given.length > 0) return await readLandscape(given, args, around);
    if (flag(args, "demo")) return await landscapeOf({ sources: await exampleManifests(), cluster });
    if (running !== undefined) return await inForce(stateFolder, around.folder);
    return await readLandscape(await usualManifests(verb, around), args, around);
  };
  return { ...(await found()), cluster, running };
}

/** What the running platform goes by; files that are being written may say something else. */
async function inForce(stateFolder: string, folder: string): Promise<Landscape> {
  const applications = await readApplications(stateFolder);
  return createLandscape(applications.map((one) => movedTo(one, shortest(folder, one.source.file))));
}

async function usualManifests(verb: string, around: Surroundings): Promise<readonly string[]> {
  const present = await Promise.all(
    usualPlaces.map(async (place) =>
      access(resolve(around.folder, place)).then(
        () => [place],
        () => [],
      ),
    ),
  );
  const found = present.flat();
  if (found.length > 0) return found;
  throw usageError(`${verb} needs manifests: give them with -f`, verb);
}

/** A path as a person would write it from here. */
function shortest(folder: string, file: string): string {
  const short = relative(folder, file);
  return short.startsWith("../..") ? file : short;
}

/** The landscape of the given files and folders. */
export async function readLandscape(
  paths: readonly string[],
  args: Arguments,
  around: Surroundings,
): Promise<Landscape> {
  const { folder } = around;
  const [sources, values] = await Promise.all([
    readManifestFiles(paths, folder),
    readValues(texts(args, "values"), folder),
  ]);
  const namespace = text(args, "namespace");
  return landscapeOf({
    sources,
    values,
    cluster: text(args, "cluster") ?? defaultCluster,
    ...(namespace === undefined ? {} : { namespace }),
  });
}

interface Sources {
  readonly sources: readonly { readonly file: string; readonly text: string }[];
  readonly cluster: string;
  readonly namespace?: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

/** Parses manifests with the values that every place here may leave out. *Throws*: CommandError with every problem. */
export async function landscapeOf({
  sources,
  cluster,
  namespace = "default",
  values,
}: Sources): Promise<Landscape> {
  for (const [option, name] of Object.entries({ cluster, namespace })) {
    const isPart = parseApplicationId(`${name}:x:x`) !== undefined;
    if (!isPart) throw usageError(`--${option} wants lower case letters, digits and -, not ${name}`);
  }
  const filled = { cluster, namespace, image: "local", ...values };
  const { applications, problems } = parseManifests(sources, { cluster, namespace, values: filled });
  if (problems.length > 0) throw problemsError(problems);
  if (applications.length === 0) throw nothingDeclared(sources.map(({ file }) => file));
  return createLandscape(applications);
}

const mostNamed = 3;

function nothingDeclared(files: readonly string[]): CommandError {
  const named = files.length > mostNamed ? [...files.slice(0, mostNamed), "others"] : files;
  const where = named.length === 0 ? "there: there is no manifest" : `in ${named.join(", ")}`;
  return new CommandError(`no application is declared ${where}`, {
    hints: [
      "a manifest says `kind: Application`; `portvakt init` writes one for an application that is there",
    ],
    exitCode: exitCodes.usage,
  });
}

/** Every problem with its place and its hint: exit code 2. */
function problemsError(problems: readonly Problem[]): CommandError {
  const [first, ...others] = problems.map(({ file, line, column, message, hint }) => ({
    sentence: `${file}:${line}:${column}: ${message}`,
    hints: [hint],
  }));
  const { sentence = "the manifests cannot be used", hints = [] } = first ?? {};
  return new CommandError(sentence, { hints, others, exitCode: exitCodes.usage });
}

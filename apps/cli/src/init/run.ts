import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { diffLines } from "../diff.ts";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";
import { changesFor, manifestFile, type Change, type Wishes } from "./changes.ts";
import { exists, openProject, type Project } from "./project.ts";

const usualManifests = [manifestFile, ".nais/nais.yaml", "nais.yaml", "app.yaml"] as const;
const sdkVersion = "0.1.0";

/** `portvakt init`: shows what it would add to the application here; with --yes adds it, installs, builds and tests. */
export async function runInit(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const { folder, terminal } = around;
  const project = await openProject(folder);
  const changes = changesFor(project, await wishesOf(project, args));
  await refuseOverwriting(changes, folder);
  const { place, framework } = project;
  terminal.err(`${framework.title}, in ${place.kind === "entry" ? place.file : `${place.folder}/`}\n`);
  if (flag(args, "json")) {
    const files = changes.map(({ file, before }) => ({ file, isNew: before === undefined }));
    terminal.out(`${JSON.stringify({ framework: framework.title, files })}\n`);
  } else {
    for (const { file, before, after } of changes)
      terminal.out(diffLines(file, before, after, terminal.paint));
  }
  if (!flag(args, "yes")) {
    terminal.err("\nNothing was written. `portvakt init --yes` writes it, installs, builds and tests.\n");
    return exitCodes.yes;
  }
  const undo = await write(changes, folder);
  await install(project, around, undo);
  await prove(project, around);
  return exitCodes.yes;
}

async function wishesOf({ manifest, folder }: Project, args: Arguments): Promise<Wishes> {
  const plain = (manifest.name ?? basename(folder))
    .replace(/^@[^/]+\//, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 63);
  const namespace = label(args, "namespace") ?? "default";
  const there = await Promise.all(usualManifests.map((file) => exists(folder, file)));
  const found = usualManifests.find((_file, index) => there[index]);
  return {
    name: plain === "" ? "app" : plain,
    namespace,
    team: label(args, "team") ?? namespace,
    sdk: dependencyOn(text(args, "sdk") ?? sdkVersion, folder),
    ...(found === undefined ? {} : { manifest: found }),
  };
}

/** A word that goes into the manifest. *Throws*: CommandError for what is no DNS label (RFC 1123 section 2.1). */
function label(args: Arguments, name: "namespace" | "team"): string | undefined {
  const word = text(args, name);
  if (word === undefined || /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(word)) return word;
  throw usageError(`--${name} wants lower-case letters, digits and -, at most 63, not "${word}"`, "init");
}

/** A packed SDK is named as npm names files; everything else is a version. */
function dependencyOn(sdk: string, folder: string): string {
  return sdk.endsWith(".tgz") ? `file:${relative(folder, resolve(folder, sdk))}` : sdk;
}

async function refuseOverwriting(changes: readonly Change[], folder: string): Promise<void> {
  for (const { file, before } of changes) {
    if (before === undefined && (await exists(folder, file))) {
      throw new CommandError(`${file} is there already, and nothing is overwritten`, {
        hints: ["move it away, or set the application up by hand: the README of @portvakt/sdk shows how"],
        exitCode: exitCodes.no,
      });
    }
  }
}

/** Writes the changes; gives what takes them back. */
async function write(changes: readonly Change[], folder: string): Promise<() => Promise<void>> {
  const made: string[] = [];
  for (const { file, before, after } of changes) {
    const path = join(folder, file);
    const firstFolder = await mkdir(dirname(path), { recursive: true });
    if (before === undefined) made.push(firstFolder ?? path);
    await writeFile(path, after);
  }
  return async () => {
    for (const path of made) await rm(path, { recursive: true, force: true });
    for (const { file, before } of changes)
      if (before !== undefined) await writeFile(join(folder, file), before);
  };
}

/** Installs the SDK where it is not there yet. Without it nothing would work, and nothing is left behind. */
async function install(
  { folder, manager }: Project,
  around: Surroundings,
  undo: () => Promise<void>,
): Promise<void> {
  if (await exists(folder, "node_modules/@portvakt/sdk")) return;
  try {
    await runProgram([manager, "install"], around);
  } catch (error) {
    await undo();
    throw new CommandError(`\`${manager} install\` failed, and everything is as it was before`, {
      hints: ["a clone of Portvakt packs the SDK with `npm run pack`; --sdk names that file"],
      exitCode: exitCodes.no,
      cause: error,
    });
  }
}

/** The application's own build, where it has one, and the test that was added. */
async function prove({ manifest, manager }: Project, around: Surroundings): Promise<void> {
  const scripts = [...(manifest.scripts?.["build"] === undefined ? [] : ["build"]), "test:auth"];
  for (const script of scripts) await runProgram([manager, "run", script], around);
  around.terminal.err(
    `\nWritten, built and tested. \`${manager} run dev:platform\` starts the platform around it.\n`,
  );
}

/** Runs a program of the project's with everything it says shown. *Throws*: CommandError when it fails. */
async function runProgram(command: readonly string[], around: Surroundings): Promise<void> {
  const [program = "", ...args] = command;
  const line = command.join(" ");
  around.terminal.err(`\n> ${line}\n`);
  const child = spawn(program, args, {
    cwd: around.folder,
    stdio: ["ignore", 2, 2], // stdout is for the answer
    env: { ...around.env },
  });
  const [code] = (await once(child, "close").catch(() => [null])) as [number | null];
  if (code === 0) return;
  throw new CommandError(`${line} failed after the change`, {
    hints: ["what was added is in the diff above: mend it, or take it back with git"],
    exitCode: exitCodes.no,
  });
}

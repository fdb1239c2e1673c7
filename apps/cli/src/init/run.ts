import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { diffLines } from "../diff.ts";
import { CommandError, exitCodes, type ExitCode } from "../failure.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";
import { changesFor, manifestFile, type Change, type Names } from "./changes.ts";
import { exists, openProject, type Project } from "./project.ts";

const usualManifests = [manifestFile, ".nais/nais.yaml", "nais.yaml", "app.yaml"] as const;

/** `portvakt init`: shows what it would add to the application here; with --yes adds it, builds and tests. */
export async function runInit(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const { folder, terminal } = around;
  const project = await openProject(folder);
  const hasManifest = (await Promise.all(usualManifests.map((file) => exists(folder, file)))).includes(true);
  const changes = changesFor(project, namesOf(project, args), hasManifest);
  await refuseOverwriting(changes, folder);
  terminal.err(`${project.framework.title}, in ${project.entry?.file ?? "app/"}\n`);
  if (flag(args, "json")) {
    const files = changes.map(({ file, before }) => ({ file, isNew: before === undefined }));
    terminal.out(`${JSON.stringify({ framework: project.framework.title, files })}\n`);
  } else {
    for (const { file, before, after } of changes)
      terminal.out(diffLines(file, before, after, terminal.paint));
  }
  if (!flag(args, "yes")) {
    terminal.err("\nNothing was written. `portvakt init --yes` writes it, then builds and tests.\n");
    return exitCodes.yes;
  }
  for (const { file, after } of changes) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), after);
  }
  return await proven(project, around);
}

function namesOf({ manifest, folder }: Project, args: Arguments): Names {
  const plain = (manifest.name ?? basename(folder))
    .replace(/^@[^/]+\//, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 63);
  const namespace = text(args, "namespace") ?? "default";
  return { name: plain === "" ? "app" : plain, namespace, team: text(args, "team") ?? namespace };
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

/** The application's own build, where it has one, and the test that was added. */
async function proven({ folder, manifest }: Project, around: Surroundings): Promise<ExitCode> {
  const { terminal } = around;
  if (!(await exists(folder, "node_modules/@portvakt/sdk"))) {
    terminal.err(
      "\nWritten. `npm install`, then `npm run test:auth`; `npm run dev:platform` starts the platform around it.\n",
    );
    return exitCodes.yes;
  }
  const builds = manifest.scripts?.["build"] === undefined ? [] : ["build"];
  for (const script of [...builds, "test:auth"]) {
    terminal.err(`\n> npm run ${script}\n`);
    const child = spawn("npm", ["run", "--silent", script], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...around.env },
    });
    const [code] = (await once(child, "close")) as [number | null];
    if (code === 0) continue;
    throw new CommandError(`npm run ${script} failed after the change`, {
      hints: ["what was added is in the diff above: mend it, or take it back with git"],
      exitCode: exitCodes.no,
    });
  }
  terminal.err("\nWritten, built and tested. `npm run dev:platform` starts the platform around it.\n");
  return exitCodes.yes;
}

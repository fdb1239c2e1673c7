// Finding the programs that tests need: what is installed, what apt can bring, and otherwise one clear line.

import { execFile } from "node:child_process";
import { access, constants, glob, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);

/** A program that tests need, and every way to find or get it. */
export interface Program {
  readonly title: string;
  /** Names to look for on PATH, in order. */
  readonly names: readonly string[];
  /** Places outside PATH; glob patterns, the last match (the newest version) wins. */
  readonly places: readonly string[];
  readonly aptPackage: string;
  /** One line for people without apt. */
  readonly advice: string;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The path of an installed program, or undefined. */
async function findProgram(program: Program): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = program.names.flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const pattern of program.places) {
    const matches = await Array.fromAsync(glob(pattern));
    candidates.push(...matches.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true })));
  }
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function aptIsUsable(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID(?:_LIKE)?=.*(?:debian|ubuntu)/mu.test(release);
}

async function aptInstall(packages: readonly string[]): Promise<void> {
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 64 * 1024 * 1024,
  };
  const waiting = ["-o", "DPkg::Lock::Timeout=180"];
  await execFileAsync("apt-get", [...waiting, "update"], options);
  await execFileAsync(
    "apt-get",
    [...waiting, "install", "--yes", "--no-install-recommends", ...packages],
    options,
  );
}

/**
 * The paths of all programs, installing what is missing where that is possible (Debian or Ubuntu, as root).
 * *Throws* with one line per program that is missing and how to get it.
 */
export async function obtainPrograms(
  programs: readonly Program[],
  say: (line: string) => void,
): Promise<Map<Program, string>> {
  const found = new Map<Program, string>();
  const look = async (): Promise<Program[]> => {
    for (const program of programs) {
      const path = found.get(program) ?? (await findProgram(program));
      if (path !== undefined) found.set(program, path);
    }
    return programs.filter((program) => !found.has(program));
  };
  let missing = await look();
  let failure = "";
  if (missing.length > 0 && (await aptIsUsable())) {
    const packages = missing.map((program) => program.aptPackage);
    say(`installing ${packages.join(", ")} …`);
    await aptInstall(packages).catch((cause: unknown) => {
      failure = ` (apt-get failed: ${String(cause).split("\n").at(-1) ?? ""})`;
    });
    missing = await look();
  }
  if (missing.length === 0) return found;
  throw new Error(
    missing.map((program) => `${program.title} is missing${failure}: ${program.advice}`).join("\n"),
  );
}

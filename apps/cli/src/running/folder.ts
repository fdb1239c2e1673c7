import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Makes a folder that only its owner reads, and those above it that are missing. Keys lie in such folders: one that was not
 * there before, and any that is named `.portvakt`, gets a `.gitignore` that keeps everything in it out of git.
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  const isNew = await make(folder);
  if (!isNew && basename(folder) !== ".portvakt") return;
  try {
    await writeFile(join(folder, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** Gives false where the folder was there. Not mkdir's `recursive`: that never ends in `/proc`, where nobody can make one. */
async function make(folder: string): Promise<boolean> {
  try {
    return await makeOne(folder);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    await make(dirname(folder));
    return await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await stat(folder)).isDirectory()) return false;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

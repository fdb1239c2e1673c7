import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { applyFix, type Hindrance } from "@portvakt/policy";
import { diffLines } from "../diff.ts";
import { CommandError } from "../failure.ts";
import type { Surroundings } from "../verb.ts";

/** Writes the fixes into their manifests, and shows what changed. *Throws*: CommandError where one cannot be written. */
export async function writeFixes(hindrances: readonly Hindrance[], around: Surroundings): Promise<void> {
  const { folder, terminal } = around;
  const written = new Set<string>();
  for (const { fix, sentence } of hindrances) {
    if (fix?.file === undefined) throw new CommandError(`no manifest line mends this: ${sentence}`);
    const key = `${fix.file}\n${fix.yaml}`;
    if (written.has(key)) continue;
    written.add(key);
    const file = resolve(folder, fix.file);
    const before = await readFile(file, "utf8");
    const after = applyFix(before, fix);
    if (after === undefined) {
      throw new CommandError(`${fix.file} cannot be changed by a machine`, {
        hints: ["it holds templates around that place, or another value there: add the lines by hand"],
      });
    }
    await writeFile(file, after);
    terminal.err(diffLines(fix.file, before, after, terminal.paint));
  }
}

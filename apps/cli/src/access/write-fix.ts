import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { applyFix, type Fix, type Hindrance } from "@portvakt/policy";
import { diffLines } from "../diff.ts";
import { CommandError, systemReason } from "../failure.ts";
import type { Surroundings } from "../verb.ts";

type Written = { readonly file: string; readonly before: string; readonly after: string };

/**
 * Writes the fixes into their manifests, and shows what changed: all of them, or none. *Throws*: CommandError where one cannot
 * be written.
 */
export async function writeFixes(hindrances: readonly Hindrance[], around: Surroundings): Promise<void> {
  const { folder, terminal } = around;
  const fixes = new Map<string, Required<Fix>>();
  for (const { fix, sentence } of hindrances) {
    if (fix?.file === undefined) throw new CommandError(`no manifest line mends this: ${sentence}`);
    fixes.set(`${fix.file}\n${fix.yaml}`, { file: fix.file, line: fix.line ?? 1, yaml: fix.yaml });
  }
  const byFile = Map.groupBy(fixes.values(), ({ file }) => file);
  const changed = await Promise.all(
    [...byFile].map(async ([file, own]): Promise<Written> => {
      const before = await readFile(resolve(folder, file), "utf8");
      // from the last line up: what is put in moves only what stands below it
      const after = own.toSorted((one, other) => other.line - one.line).reduce(withFix, before);
      return { file, before, after };
    }),
  );
  for (const { file, before, after } of changed) {
    await writeFile(resolve(folder, file), after).catch((error: unknown) => {
      const reason = systemReason(error) ?? "the system refuses";
      throw new CommandError(`${file} cannot be written: ${reason}`, { cause: error });
    });
    terminal.err(diffLines(file, before, after, terminal.paint));
  }
}

function withFix(text: string, fix: Required<Fix>): string {
  const after = applyFix(text, fix);
  if (after !== undefined) return after;
  throw new CommandError(
    `${fix.file} was left as it is: an alias, a shared anchor, a template or another value stands in the way`,
    { hints: [`add this by hand, at line ${fix.line}:\n${fix.yaml}`] },
  );
}

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ManifestSource } from "@portvakt/policy";
import { CommandError } from "../failure.ts";

/** Where the example applications are, in a clone of Portvakt. */
export const examples = fileURLToPath(new URL("../../../../examples/", import.meta.url));

/** The manifests of the example applications: every folder of examples/ with one. *Throws*: CommandError. */
export async function exampleManifests(): Promise<ManifestSource[]> {
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

import { basename, join, resolve } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { compile } from "./compile.ts";
import { root } from "./manifest.ts";
import { run } from "./programs.ts";
import type { Published } from "./published.ts";

/** A package as it would be published. */
export interface Packed {
  readonly directory: string;
  readonly tarball: string;
}

/** Compiles and packs one package, by default in `dist/<name>`. */
export async function pack(
  entry: Published,
  place = resolve(root, "dist", basename(entry.folder)),
): Promise<Packed> {
  const directory = await compile(entry, place);
  const printed = await run("npm", ["pack", "--json", "--pack-destination", join(directory, "..")], {
    cwd: directory,
  });
  return { directory, tarball: join(directory, "..", fileNameOf(JSON.parse(printed))) };
}

/** `npm pack --json` prints a list, or since npm 12 a record by package name. */
function fileNameOf(printed: unknown): string {
  const [first] = Object.values(printed as Record<string, { filename: string }>);
  if (first === undefined) throw new Error("npm pack says that it packed nothing");
  return first.filename;
}

/** What is wrong with a package for those who install it: publint, and types resolved as each kind of importer does. */
export async function problemsOf({ directory, tarball }: Packed): Promise<readonly string[]> {
  const { messages, pkg } = await publint({ pkgDir: directory, strict: true, pack: false });
  const said = messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
  const types = await run("attw", [tarball, "--profile", "esm-only", "--format", "ascii", "--no-color"]).then(
    () => [],
    (error: unknown) => [String(error)],
  );
  return [...said, ...types];
}

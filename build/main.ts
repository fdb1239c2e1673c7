// `npm run build`: compiles and packs what others install (dist/<name>/), checks it as publint and attw do, installs it into an
// empty project and uses it there, on every runtime that it is meant for. `npm run pack` only packs.
//
// Owns: packing. Does not own: running from source, which needs no build (docs/decisions/0001-run-from-source.md).
// Path: published.ts -> compile.ts -> pack.ts -> installed.ts, init.ts

import { basename, relative } from "node:path";
import { inits } from "./init.ts";
import { installInto, uses } from "./installed.ts";
import { root } from "./manifest.ts";
import { pack, problemsOf } from "./pack.ts";
import { published } from "./published.ts";

const counts = { passed: 0, failed: 0 };

/** Prints what a step said, or why it failed. */
async function step(name: string, work: () => Promise<string>): Promise<void> {
  const started = performance.now();
  const [mark, said] = await work().then(
    (text) => {
      counts.passed += 1;
      return ["✔", text.trim()];
    },
    (error: unknown) => {
      counts.failed += 1;
      process.exitCode = 1;
      return ["✖", error instanceof Error ? error.message : String(error)];
    },
  );
  console.log(`${mark} ${name}: ${said} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

const packsOnly = process.argv.includes("--pack");
for (const entry of published) {
  const packed = await pack(entry);
  console.log(relative(root, packed.tarball));
  if (packsOnly) continue;
  await step("publint and attw", async () => {
    const problems = await problemsOf(packed);
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return "nothing to say";
  });
  if (entry.folder !== "packages/sdk") continue;
  const project = await installInto(packed.tarball);
  for (const [name, use] of Object.entries(uses)) await step(`used: ${name}`, () => use(project));
  await project.remove();
  for (const [name, init] of Object.entries(inits))
    await step(`portvakt init: ${name}`, () => init(packed.tarball));
}
const names = published.map(({ folder }) => basename(folder)).join(" and ");
const ways = Object.keys(uses).join("; ");
if (!packsOnly)
  console.log(
    `${names} packed and checked; sdk installed and used in ${Object.keys(uses).length} ways (${ways}): ${counts.passed} steps passed, ${counts.failed} failed`,
  );

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { foreignApplications } from "./manifests.ts";

const folder = await mkdtemp(join(tmpdir(), "portvakt-manifests-"));
after(() => rm(folder, { recursive: true, force: true }));

const manifest = (name: string): string =>
  `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: ${name}, namespace: a }\nspec: { image: x }\n`;

/** Who runs the command, of the applications of two files. */
async function runners(first: string, second: string, ran?: string): Promise<string[]> {
  await writeFile(join(folder, "first.yaml"), first);
  await writeFile(join(folder, "second.yaml"), second);
  const files = ["first.yaml", "second.yaml"];
  const declared = await foreignApplications({ files, command: ["npm", "start"], ran, folder, cluster: "c" });
  return declared.filter(({ program }) => program).map(({ application }) => application.name);
}

test("the command runs the application of the first manifest, and never another", async () => {
  assert.deepEqual(await runners(manifest("front"), manifest("back")), ["front"]);
  assert.deepEqual(
    await runners("", manifest("back"), "c:a:front"),
    [],
    "while its manifest is empty, nobody",
  );
  assert.deepEqual(await runners(manifest("back"), manifest("front"), "c:a:front"), ["front"]);
});

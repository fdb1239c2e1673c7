// Proves one requirement: runs its check, or finds the test that it names.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Requirement } from "./table.ts";

const root = resolve(import.meta.dirname, "..");

/** *Throws* when the requirement does not hold, or the test that it names is not there. */
export async function prove(requirement: Requirement): Promise<void> {
  if ("run" in requirement) return requirement.run();
  const [file, name] = requirement.test;
  const source = await readFile(resolve(root, file), "utf8").catch(() => "");
  assert.ok(source.includes(JSON.stringify(name)), `${file} has no test "${name}"`);
}

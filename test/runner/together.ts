// Runs several test files in one process: each is a suite of its own, so that one file's hooks stay in that file.

import { describe } from "node:test";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) {
  await describe(file, async () => {
    await import(pathToFileURL(file).href);
  });
}

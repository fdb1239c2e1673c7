// `npm run conformance`: every requirement with its result. `npm run conformance -- 8693` prints matching specifications.

import { withNamedTests } from "./named-tests.ts";
import { prove } from "./prove.ts";
import { specifications } from "./specifications.ts";
import type { Requirement } from "./table.ts";

async function resultOf(requirement: Requirement): Promise<string> {
  try {
    await prove(requirement);
    return "test" in requirement ? `tested in ${requirement.test[0]}` : "holds";
  } catch (error) {
    return `FAILS: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`;
  }
}

const words = process.argv.slice(2);
const all = await withNamedTests(specifications);
const chosen = all.filter(({ name }) => words.every((word) => name.includes(word)));
let failed = 0;
let count = 0;
for (const { name, title, requirements } of chosen) {
  console.log(`\n${name}${title === "" ? "" : `: ${title}`}`);
  for (const requirement of requirements) {
    const result = await resultOf(requirement);
    count += 1;
    if (result.startsWith("FAILS")) failed += 1;
    const { section, level, says } = requirement;
    console.log(`  ${`§ ${section}`.padEnd(18)} ${level.padEnd(6)} ${says.padEnd(72)} ${result}`);
  }
}
console.log(`\n${count} requirements of ${chosen.length} specifications, ${failed} fail`);
process.exitCode = failed > 0 || count === 0 ? 1 : 0;

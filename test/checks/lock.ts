// The lock file must name every optional dependency that its packages name. npm leaves one out, without a word, when
// the registry cannot give it at that moment, and then `npm ci` refuses the lock file everywhere.

import { textOf } from "./tree.ts";

interface Lock {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Record<string, string> }>>;
}

/** Does the lock hold `name` where Node would find it from `place`? */
function holds(lock: Lock, place: string, name: string): boolean {
  for (let from = place; ; from = from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/")))) {
    if (lock.packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`]) return true;
    if (from === "") return false;
  }
}

/** What a lock file lacks, one line each. */
export function missingFrom(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !holds(lock, place, name))
      .map(([name, version]) => `package-lock.json lacks ${name}@${version}, which ${place} names`),
  );
}

/** What our lock file lacks. */
export async function missingFromLock(): Promise<string[]> {
  return missingFrom(JSON.parse(await textOf("package-lock.json")) as Lock);
}

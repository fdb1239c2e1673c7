import { compileGlob } from "./glob.ts";

/** Whether a path is excluded from auto-login. */
export type ExcludedPaths = (canonicalPath: string) => boolean;

/** What browsers and crawlers ask for on their own; a redirect to a sign-in page helps neither. */
const alwaysExcluded = ["/favicon.ico", "/robots.txt"];

/**
 * Compiles the globs of the auto-login exclusion list, as `compileGlob` reads them.
 * Throws: Error naming the pattern that cannot be read (the baseline ignored those, and thereby guarded less than was asked).
 */
export function compileExclusions(patterns: readonly string[]): ExcludedPaths {
  const globs = [...alwaysExcluded, ...patterns].map((pattern) => compileGlob(pattern));
  return (path) => globs.some((matches) => matches(path));
}

/** Which provider must have signed a user in, by path; undefined where any may. */
export type ProviderOfPath = (canonicalPath: string) => string | undefined;

/**
 * Compiles rules such as `/admin/**=entra`; the first that matches counts. They demand something, so letters match in either case:
 * an application that does not tell `/Admin` from `/admin` must not be reached around them.
 * Throws: Error naming the rule that cannot be read.
 */
export function compileProviderPaths(rules: readonly string[], known: readonly string[]): ProviderOfPath {
  const compiled = rules.map((rule) => {
    const [, pattern = "", provider = ""] = /^(.*)=([a-z_]+)$/.exec(rule) ?? [];
    if (pattern === "" || !known.includes(provider))
      throw new Error(`"${rule}" is not a path=provider of ours`);
    return { matches: compileGlob(pattern, true), provider };
  });
  return (path) => compiled.find(({ matches }) => matches(path))?.provider;
}

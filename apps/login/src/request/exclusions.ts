/** Whether a path is excluded from auto-login. */
export type ExcludedPaths = (canonicalPath: string) => boolean;

/** What browsers and crawlers ask for on their own; a redirect to a sign-in page helps neither. */
const alwaysExcluded = ["/favicon.ico", "/robots.txt"];

/**
 * Compiles the globs of the auto-login exclusion list: `*` stays inside a segment, `**` is any depth including none,
 * `?` one character, `{a,b}` alternatives, `[a-z]` classes; a trailing slash counts for nothing.
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
    return { matches: compileGlob(pattern, "i"), provider };
  });
  return (path) => compiled.find(({ matches }) => matches(path))?.provider;
}

function compileGlob(pattern: string, flags = ""): (path: string) => boolean {
  const expression = new RegExp(`^${globSource(pattern)}$`, `u${flags}`);
  return (path) => expression.test(path.length > 1 ? path.replace(/\/+$/, "") : path);
}

function globSource(pattern: string): string {
  if (!pattern.startsWith("/")) throw new Error(`"${pattern}" does not start with a slash`);
  if (pattern.length > 500) throw new Error(`"${pattern.slice(0, 40)}…" is longer than 500 characters`);
  const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, "") : pattern;
  if (trimmed === "/") return "/";
  return trimmed
    .slice(1)
    .split("/")
    .map((segment) => (segment === "**" ? "(?:/[^/]+)*" : `/${segmentSource(segment, pattern)}`))
    .join("")
    .replace(/^\(\?:\/\[\^\/\]\+\)\*$/, "(?:/[^/]*)*");
}

function segmentSource(segment: string, pattern: string): string {
  let source = "";
  let open = false;
  for (let index = 0; index < segment.length; index++) {
    const character = segment[index] ?? "";
    if (character === "*") {
      if (segment[index - 1] !== "*") source += "[^/]*";
    } else if (character === "?") source += "[^/]";
    else if (character === "[") {
      const end = segment.indexOf("]", index + 2);
      const set = segment.slice(index + 1, end);
      if (end === -1 || !/^[!^]?[\w.~-]+$/.test(set))
        throw new Error(`"${pattern}" has a character class that cannot be read`);
      source += `[${set.replace(/^[!^]/, "^/")}]`;
      index = end;
    } else if (character === "{" && !open) {
      open = true;
      source += "(?:";
    } else if (character === "}" && open) {
      open = false;
      source += ")";
    } else if (character === "," && open) source += "|";
    else if (/[{}\]\\]/.test(character)) throw new Error(`"${pattern}" cannot be read at "${character}"`);
    else source += character.replace(/[.+^$()|/-]/g, String.raw`\$&`);
  }
  if (open) throw new Error(`"${pattern}" opens a brace that it does not close`);
  return source;
}

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
  const compiled = [...alwaysExcluded, ...patterns].map(
    (pattern) => new RegExp(`^${globSource(pattern)}$`, "u"),
  );
  return (path) => {
    const trimmed = path.length > 1 ? path.replace(/\/+$/, "") : path;
    return compiled.some((expression) => expression.test(trimmed));
  };
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

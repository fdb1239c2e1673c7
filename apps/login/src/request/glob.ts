/** Whether a path, decoded and without segments that could be read in two ways, is one that a glob means. */
export type Glob = (path: string) => boolean;

/**
 * Compiles a glob: `*` stays inside a segment, `**` is any depth including none, `?` one character, `{a,b}` alternatives, `[a-z]`
 * classes; a trailing slash counts for nothing. With `anyCase` letters match in either case.
 * Anybody may ask for any path, so the time that it takes grows with the path's length and not with its square.
 * Throws: Error naming a pattern that cannot be read.
 */
export function compileGlob(pattern: string, anyCase = false): Glob {
  if (!pattern.startsWith("/")) throw new Error(`"${pattern}" does not start with a slash`);
  if (pattern.length > 500) throw new Error(`"${pattern.slice(0, 40)}…" is longer than 500 characters`);
  const fold = anyCase ? foldCase : (text: string): string => text;
  const alternatives = expandBraces(pattern).map((one) =>
    segmentsOf(fold(one)).map((segment) => (segment === "**" ? any : compileSegment(segment, pattern))),
  );
  return (path) => {
    const segments = segmentsOf(fold(path));
    return alternatives.some((glob) => matches(glob, segments));
  };
}

const any = Symbol("any number of these");

/** What a pattern says of the things in a row: of one each, or that any number of them may stand here. */
type Pattern<T> = readonly (((thing: T) => boolean) | typeof any)[];

/** Matches a whole row. Goes back to no `any` but the last: an earlier one could only take up what that one can as well. */
function matches<T>(pattern: Pattern<T>, row: readonly T[]): boolean {
  let at = 0;
  let resume = -1;
  let taken = 0;
  for (let index = 0; index < row.length;) {
    const meant = pattern[at];
    if (meant === any) {
      if (++at === pattern.length) return true;
      resume = at;
      taken = index;
    } else if (meant?.(row[index] as T) === true) {
      at++;
      index++;
    } else if (resume === -1) return false;
    else {
      at = resume;
      index = ++taken;
    }
  }
  while (pattern[at] === any) at++;
  return at === pattern.length;
}

function segmentsOf(path: string): string[] {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 47) end--;
  return path.slice(1, end).split("/");
}

function compileSegment(segment: string, whole: string): (segment: string) => boolean {
  if (!/[*?[\]{}\\]/.test(segment)) return (given) => given === segment;
  const pattern: Pattern<string>[number][] = [];
  const characters = Array.from(segment);
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (character === "*") pattern.push(any);
    else if (character === "?") pattern.push(() => true);
    else if (character === "[") {
      const end = characters.indexOf("]", index + 2);
      pattern.push(compileClass(characters.slice(index + 1, end === -1 ? index : end).join(""), whole));
      index = end;
    } else if (/[{}\]\\]/.test(character)) throw new Error(`"${whole}" cannot be read at "${character}"`);
    else pattern.push((given) => given === character);
  }
  return (given) => matches(pattern, Array.from(given));
}

function compileClass(set: string, whole: string): (character: string) => boolean {
  try {
    if (!/^[!^]?[\w.~-]+$/.test(set)) throw new Error("it has characters that mean something else");
    const expression = new RegExp(`^[${set.replace(/^!/, "^")}]$`, "u");
    return (character) => expression.test(character);
  } catch (cause) {
    throw new Error(`"${whole}" has a character class that cannot be read`, { cause });
  }
}

const mostAlternatives = 100;

/** The patterns that `{a,b}` stands for. */
function expandBraces(pattern: string): string[] {
  let all = [""];
  for (const [index, part] of pattern.split("{").entries()) {
    const end = part.indexOf("}");
    if (index > 0 && end === -1) throw new Error(`"${pattern}" opens a brace that it does not close`);
    const choices = index === 0 ? [""] : part.slice(0, end).split(",");
    const rest = index === 0 ? part : part.slice(end + 1);
    all = all.flatMap((start) => choices.map((choice) => start + choice + rest));
    if (all.length > mostAlternatives)
      throw new Error(`"${pattern}" stands for more than ${mostAlternatives} patterns`);
  }
  return all;
}

/** The same text for all spellings of its letters. Every character stays one: `?` must mean the same as without. */
function foldCase(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, (character) => {
    const folded = character.toUpperCase().toLowerCase();
    return Array.from(folded).length === 1 ? folded : character;
  }).join("");
}

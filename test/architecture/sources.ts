// Sources as the rules see them: the imports of a file, its text without comments, its first comment.

import { parseSync } from "oxc-parser";

export interface Import {
  readonly specifier: string;
  readonly typesOnly: boolean;
}

export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** The text with its comments blanked out. */
  readonly code: string;
  /** The comments before the first statement. */
  readonly header: string;
}

/** What `package.json` says about a room. */
export interface RoomPackage {
  readonly name: string;
  /** Subpaths that others may import, "." and "./config" for example. */
  readonly exports: readonly string[];
}

/** Reads one TypeScript file. *Throws* when it does not parse. */
export function readSource(path: string, text: string): Source {
  const { module, comments, errors, program } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? "does not parse"}`);
  const imports: Import[] = [];
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const typesOnly =
      /^import\s+type\b/u.test(text.slice(start)) || (entries.length > 0 && entries.every((e) => e.isType));
    imports.push({ specifier: moduleRequest.value, typesOnly });
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest) imports.push({ specifier: moduleRequest.value, typesOnly: isType });
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const argument = text.slice(moduleRequest.start, moduleRequest.end);
    // What is put together at run time cannot be judged here, and is judged as what it says: not a literal.
    const literal = /^(["'`])([^$"'`]*)\1$/u.exec(argument)?.[2];
    imports.push({ specifier: literal ?? `computed: ${argument}`, typesOnly: false });
  }
  // By UTF-16 units, as the parser counts positions.
  const code = text.split("");
  const blank = (start: number, end: number): void => {
    for (let at = start; at < end; at += 1) if (code[at] !== "\n") code[at] = " ";
  };
  for (const { start, end } of comments) blank(start, end);
  const first = program.body[0]?.start ?? text.length;
  const header = comments.filter((comment) => comment.end <= first).map((comment) => comment.value);
  return { path, imports, code: code.join(""), header: header.join("\n") };
}

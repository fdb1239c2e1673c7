/** A template taken apart. Offsets are those of the source. */
export type TemplateNode =
  | { readonly kind: "text"; readonly start: number; readonly end: number }
  | { readonly kind: "value"; readonly name: string; readonly start: number }
  | TemplateBlock;

export interface TemplateBlock {
  readonly kind: "block";
  readonly helper: "each" | "if" | "unless";
  readonly name: string;
  /** The word between the bars of `{{#each list as |word|}}`. */
  readonly alias: string | undefined;
  readonly start: number;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

/** Something wrong with a template, at an offset of the source. */
export interface TemplateProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

interface OpenBlock {
  readonly opened: Omit<TemplateBlock, "body" | "otherwise">;
  readonly outer: TemplateNode[];
  readonly body: TemplateNode[];
  otherwise: TemplateNode[] | undefined;
}

const maxDepth = 10;
const blockTag = /^#(each|if|unless)\s+([\w@.$/-]+)(?:\s+as\s+\|\s*(\w+)(?:\s+\w+)?\s*\|)?$/;

/**
 * Takes a template apart into text, values and the blocks `each`, `if` and `unless`.
 *
 * *Checks*: that blocks are known, closed by their own name and at most ten deep. *Throws*: nothing; what is wrong goes to
 * `problems` and stands for nothing.
 */
export function parseTemplate(source: string, problems: TemplateProblem[]): readonly TemplateNode[] {
  const root: TemplateNode[] = [];
  const stack: OpenBlock[] = [];
  let nodes = root;
  let last = 0;
  for (const match of source.matchAll(/\{\{\{([^{}\n]*)\}\}\}|\{\{([^{}\n]*)\}\}/g)) {
    const start = match.index;
    if (start > last) nodes.push({ kind: "text", start: last, end: start });
    last = start + match[0].length;
    nodes = takeTag((match[1] ?? match[2] ?? "").trim(), start, nodes, stack, problems);
  }
  if (source.length > last) nodes.push({ kind: "text", start: last, end: source.length });
  for (const { opened } of stack) {
    const message = `{{#${opened.helper} ${opened.name}}} is never closed`;
    problems.push({ offset: opened.start, message, hint: `close it with {{/${opened.helper}}}` });
  }
  return root;
}

/** Takes one tag in, and says which list the next node belongs to. */
function takeTag(
  tag: string,
  start: number,
  nodes: TemplateNode[],
  stack: OpenBlock[],
  problems: TemplateProblem[],
): TemplateNode[] {
  const refuse = (message: string, hint: string): TemplateNode[] => {
    problems.push({ offset: start, message, hint });
    return nodes;
  };
  const open = stack.at(-1);
  if (tag.startsWith("!")) return nodes;
  if (tag === "else" || tag === "^") {
    if (open === undefined || open.otherwise !== undefined) {
      return refuse(`{{${tag}}} belongs to no block`, "remove it, or open the block first");
    }
    open.otherwise = [];
    return open.otherwise;
  }
  if (tag.startsWith("/")) {
    const name = tag.slice(1).trim();
    if (open === undefined || open.opened.helper !== name) {
      return refuse(`{{/${name}}} closes no block`, "remove it, or open the block first");
    }
    stack.pop();
    open.outer.push({ ...open.opened, body: open.body, otherwise: open.otherwise ?? [] });
    return open.outer;
  }
  if (!/^[#^>&]/.test(tag)) {
    nodes.push({ kind: "value", name: tag, start });
    return nodes;
  }
  const [, helper, name = "", alias] = blockTag.exec(tag) ?? [];
  if ((helper !== "each" && helper !== "if" && helper !== "unless") || stack.length >= maxDepth) {
    return refuse(`{{${tag}}} is not understood here`, "render the file with your deploy tool first");
  }
  const body: TemplateNode[] = [];
  const opened = { kind: "block", helper, name, alias, start } as const;
  stack.push({ opened, outer: nodes, body, otherwise: undefined });
  return body;
}

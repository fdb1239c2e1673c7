import type { Paint } from "./terminal.ts";

interface Edit {
  readonly kind: " " | "-" | "+";
  readonly line: string;
}

const context = 3;
const mostLines = 4000;

/** A unified diff of two texts; `before` is undefined for a new file. Empty where nothing differs. */
export function diffLines(file: string, before: string | undefined, after: string, paint: Paint): string {
  const edits = editsBetween(linesOf(before ?? ""), linesOf(after));
  if (edits.every(({ kind }) => kind === " ")) return "";
  const lines = [
    paint("bold", `--- ${before === undefined ? "/dev/null" : file}`),
    paint("bold", `+++ ${file}`),
  ];
  for (const { start, end } of hunks(edits)) {
    const part = edits.slice(start, end);
    const at = (kind: "-" | "+"): string => {
      const other = kind === "-" ? "+" : "-";
      const first = edits.slice(0, start).filter((edit) => edit.kind !== other).length + 1;
      const count = part.filter((edit) => edit.kind !== other).length;
      return `${count === 0 ? first - 1 : first},${count}`;
    };
    lines.push(paint("cyan", `@@ -${at("-")} +${at("+")} @@`));
    for (const { kind, line } of part) {
      const text = `${kind}${line}`;
      lines.push(kind === " " ? text : paint(kind === "+" ? "green" : "red", text));
    }
  }
  return `${lines.join("\n")}\n`;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** By the longest common subsequence, after what both ends share; texts beyond any manifest are replaced whole. */
function editsBetween(old: readonly string[], young: readonly string[]): Edit[] {
  let head = 0;
  while (head < old.length && head < young.length && old[head] === young[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, young.length) - head && old.at(-1 - tail) === young.at(-1 - tail))
    tail += 1;
  const removed = old.slice(head, old.length - tail);
  const added = young.slice(head, young.length - tail);
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: " ", line }));
  return [...same(old.slice(0, head)), ...middle(removed, added), ...same(old.slice(old.length - tail))];
}

function middle(removed: readonly string[], added: readonly string[]): Edit[] {
  if (removed.length + added.length > mostLines) return plain(removed, added);
  const lengths = Array.from({ length: removed.length + 1 }, () => new Uint16Array(added.length + 1));
  const length = (row: number, column: number): number => lengths[row]?.[column] ?? 0;
  for (let row = removed.length - 1; row >= 0; row--) {
    for (let column = added.length - 1; column >= 0; column--) {
      const own = lengths[row];
      if (own === undefined) continue;
      own[column] =
        removed[row] === added[column]
          ? length(row + 1, column + 1) + 1
          : Math.max(length(row + 1, column), length(row, column + 1));
    }
  }
  const edits: Edit[] = [];
  let row = 0;
  let column = 0;
  while (row < removed.length && column < added.length) {
    if (removed[row] === added[column]) {
      edits.push({ kind: " ", line: removed[row] ?? "" });
      row += 1;
      column += 1;
    } else if (length(row + 1, column) >= length(row, column + 1)) {
      edits.push({ kind: "-", line: removed[row++] ?? "" });
    } else {
      edits.push({ kind: "+", line: added[column++] ?? "" });
    }
  }
  return [...edits, ...plain(removed.slice(row), added.slice(column))];
}

function plain(removed: readonly string[], added: readonly string[]): Edit[] {
  return [
    ...removed.map((line): Edit => ({ kind: "-", line })),
    ...added.map((line): Edit => ({ kind: "+", line })),
  ];
}

function hunks(edits: readonly Edit[]): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const [index, { kind }] of edits.entries()) {
    if (kind === " ") continue;
    const start = Math.max(0, index - context);
    const end = Math.min(edits.length, index + context + 1);
    const last = found.at(-1);
    if (last !== undefined && start <= last.end) last.end = end;
    else found.push({ start, end });
  }
  return found;
}

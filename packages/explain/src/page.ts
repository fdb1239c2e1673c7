import { tables, tokenxHints } from "./codes.ts";
import type { Meaning } from "./meaning.ts";

const introduction = `# Errors

Every code that a server of Portvakt or an application with its SDK can give, and every code of a provider that is translated: what happened, whose
move it is, and what the move is. \`portvakt explain <code>\` says the same. The tables are those that the programs answer with.`;

/** Every table of codes as one Markdown page. */
export function errorsMarkdown(): string {
  const sections = [...tables, tokenxHints].map(({ kind, codes }) => {
    const rows = Object.entries(codes).map(([code, meant]) => rowOf(code, meant));
    return `## ${titleOf(kind)}\n\n| Code | Cause | Whose move | Fix |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `${introduction}\n\n${sections.join("\n")}`;
}

function titleOf(kind: string): string {
  const words = kind.replace(/^an? /, "");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function rowOf(code: string, { cause, owner, fix, uri }: Meaning): string {
  const shown = uri === undefined ? `\`${code}\`` : `[\`${code}\`](${uri})`;
  return `| ${[shown, cause, owner, fix].map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

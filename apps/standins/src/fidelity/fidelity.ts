// How true the stand-ins are, as a table: a test of this room fails when a named test is gone; docs/fidelity.md is printed from here.

import { rows } from "./rows.ts";

/** One documented behaviour. */
export interface FidelityRow {
  readonly behaviour: string;
  readonly source: string;
  /** The file and the name of the test that shows it; undefined = nothing shows it, see `instead`. */
  readonly shown: { readonly file: string; readonly test: string } | undefined;
  readonly instead: string;
}

/** Rows by provider. */
export const fidelity: ReadonlyMap<string, readonly FidelityRow[]> = new Map(
  rows
    .trim()
    .split(/^# /m)
    .filter((part) => part !== "")
    .map((part) => {
      const [provider = "", ...lines] = part.trim().split("\n");
      return [provider, lines.map(rowOf)];
    }),
);

function rowOf(line: string): FidelityRow {
  const [behaviour = "", source = "", file = "", last = "", ...more] = line.split(" | ");
  if (last === "" || more.length > 0) throw new Error(`no row of four parts: ${line}`);
  const shown = file === "-" ? undefined : { file, test: last };
  return { behaviour, source, shown, instead: shown === undefined ? last : "" };
}

/** What is known to differ from the providers, beside the rows that no test shows. */
const differences: readonly string[] = [
  "ID-porten sends no back-channel logout; the stand-in does, to a client that registers a URI for it.",
  "Documentation of ID-porten, Entra ID and Maskinporten knows no DPoP at their token endpoints: only the plain provider has it.",
];

/** docs/fidelity.md. */
export function fidelityMarkdown(): string {
  const all = [...fidelity.values()].flat();
  const sections = [...fidelity].map(([provider, own]) => {
    const lines = own.map(
      ({ behaviour, source, shown, instead }) =>
        `| ${behaviour} | ${source} | ${shown === undefined ? `**no**: ${instead}` : `\`${shown.file}.test.ts\`: ${shown.test.trim()}`} |`,
    );
    return `## ${provider}: ${countOf(own)}\n\n| Behaviour | Source | Shown by |\n|---|---|---|\n${lines.join("\n")}\n`;
  });
  const known = differences.map((difference) => `- ${difference}`).join("\n");
  return `# How true the stand-ins are\n\nWhat each provider documents, and the test that shows that its stand-in does it: ${countOf(all)}. The tests are in \`apps/standins/test/\`; every refusal of the providers has a row of its own there.\n\n${sections.join("\n")}\n## Known differences\n\n${known}\n`;
}

function countOf(own: readonly FidelityRow[]): string {
  return `${own.filter(({ shown }) => shown !== undefined).length} of ${own.length}`;
}

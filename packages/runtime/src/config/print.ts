// Settings for people: as a table of one process (`--print-config`) and as documentation.
import { readEach } from "./read.ts";
import type { Environment, Reading, Schema } from "./read.ts";

function shown({ setting, text, problem }: Reading): string {
  if (problem !== undefined) return `! ${problem.problem}`;
  if (text === undefined) return "-";
  if (text === "") return "(empty)";
  return setting.secret ? "[secret]" : text;
}

/** A table of every setting: its name, value and source. Secrets are masked, problems stand where the value would. */
export function printSettings(schema: Schema, env: Environment): string {
  const rows = readEach(schema, env).map(
    (reading) => [reading.setting.env[0], shown(reading), reading.source] as const,
  );
  const all = [["setting", "value", "source"] as const, ...rows];
  const width = (column: 0 | 1): number => Math.min(60, Math.max(...all.map((row) => row[column].length)));
  const [first, second] = [width(0), width(1)];
  return `${all.map(([name, value, source]) => `${name.padEnd(first)}  ${value.padEnd(second)}  ${source}`.trimEnd()).join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** The schema as a Markdown table, for docs/settings.md. A setting's aliases are the names that other programs use for it. */
export function settingsMarkdown(schema: Schema): string {
  const rows = Object.values(schema).map((setting) => {
    const [first, ...aliases] = setting.env;
    const fallback =
      setting.defaultText === undefined ? (setting.optional ? "" : "required") : `\`${setting.defaultText}\``;
    const also = [...aliases, ...(setting.secret ? [`${first}_FILE`] : [])]
      .map((name) => `\`${name}\``)
      .join(", ");
    return `| \`${first}\` | ${cell(setting.kind)} | ${cell(fallback)} | ${also} | ${cell(setting.doc)} |`;
  });
  return ["| Name | Value | Default | Also read from | Meaning |", "|---|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}

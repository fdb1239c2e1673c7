import { decisionReasons } from "./reasons.ts";
import { manifestJsonSchema } from "./manifest/schema.ts";
import type { JsonSchema } from "./manifest/schema.ts";

/** The reference page of manifests, as Markdown: every field that the schema knows, one row each. */
export function manifestMarkdown(): string {
  const rows = fieldsOf(manifestJsonSchema(), "").map(
    ({ path, type, meaning }) => `| \`${path}\` | ${type} | ${meaning} |`,
  );
  return page(
    "# Manifest reference",
    [
      "What an application's manifest may say to Portvakt. Other fields of the platform's manifests are passed over in",
      "silence; a field that is nearly one of these is reported.",
    ].join("\n"),
    ["| Field | Type | Meaning |", "|---|---|---|", ...rows].join("\n"),
  );
}

/** The reference page of decisions, as Markdown: every reason, one row each. */
export function decisionsMarkdown(): string {
  const rows = Object.entries(decisionReasons).map(
    ([code, { outcome, explanation, owner, fix }]) =>
      `| \`${code}\` | ${outcome} | ${cell(explanation)} | ${owner} | ${cell(fix)} |`,
  );
  return page(
    "# Decision reference",
    "Why a token was issued or refused. `{…}` stands for what a decision fills in.",
    ["| Reason | Outcome | What it says | Whose move | Fix |", "|---|---|---|---|---|", ...rows].join("\n"),
  );
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly meaning: string;
}

function fieldsOf(schema: JsonSchema, path: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const own = path === "" ? name : `${path}.${name}`;
    const required = schema.required?.includes(name) === true;
    const row = {
      path: own,
      type: `${typeOf(field)}${required ? ", required" : ""}`,
      meaning: meaningOf(field),
    };
    if (field.items?.properties !== undefined) return [row, ...fieldsOf(field.items, `${own}[]`)];
    return [row, ...fieldsOf(field, own)];
  });
}

function typeOf(field: JsonSchema): string {
  if (field.enum !== undefined) return field.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (field.type === "array") return field.items?.type === "object" ? "list of fields" : "list of text";
  const names: Readonly<Record<string, string>> = {
    string: "text",
    integer: "whole number",
    boolean: "true or false",
    object: "fields",
  };
  return names[field.type ?? ""] ?? "any";
}

function meaningOf(field: JsonSchema): string {
  return field.description === undefined ? "" : cell(field.description);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ").replaceAll("*", "\\*");
}

function page(...parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}

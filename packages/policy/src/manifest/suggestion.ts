import type { z } from "zod";
import { nearMiss } from "../near-miss.ts";
import type { JsonSchema } from "./schema.ts";

/**
 * What to write instead of a wrong value, as a sentence without a period; `undefined` where only a person can know. `field`
 * is the field's name, `schema` what it may hold.
 */
export function suggestion(
  issue: z.core.$ZodIssue,
  found: unknown,
  field: string,
  schema: JsonSchema | undefined,
): string | undefined {
  if (found === undefined) return missing(field, schema);
  if (issue.code === "invalid_type") return ofType(issue.expected, found, schema);
  if (issue.code === "invalid_value" && typeof found === "string") {
    const values = issue.values.map(String);
    const meant =
      values.find((value) => value.toLowerCase() === found.toLowerCase()) ?? nearMiss(found, values);
    return meant === undefined ? `write one of ${values.join(", ")}` : `did you mean ${meant}?`;
  }
  if (issue.code === "too_big" || issue.code === "too_small") return undefined;
  return typeof found === "string" ? ofPattern(found, issue.message) : undefined;
}

function missing(field: string, schema: JsonSchema | undefined): string {
  const what = schema?.description;
  return what === undefined ? `add ${field}` : `add ${field}: ${what}`;
}

function ofType(expected: string, found: unknown, schema: JsonSchema | undefined): string | undefined {
  if (expected === "string" && (typeof found === "number" || typeof found === "boolean")) {
    return `write it in quotes: "${found}"`;
  }
  if ((expected === "number" || expected === "int") && typeof found === "string" && /^\d+$/.test(found)) {
    return `write it without quotes: ${found}`;
  }
  if (expected === "boolean") return ofBoolean(found);
  if (expected === "array") return ofList(found, schema);
  if (expected === "object" && typeof found !== "object") {
    const [first] = schema?.required ?? Object.keys(schema?.properties ?? {});
    return first === undefined ? undefined : `write ${first}: ${JSON.stringify(found).replaceAll('"', "")}`;
  }
  return undefined;
}

const yesses: ReadonlySet<string> = new Set(["yes", "on", "true", "y", "1"]);
const noes: ReadonlySet<string> = new Set(["no", "off", "false", "n", "0"]);

function ofBoolean(found: unknown): string | undefined {
  const word = String(found).toLowerCase();
  if (yesses.has(word)) return "write true, without quotes";
  return noes.has(word) ? "write false, without quotes" : undefined;
}

function ofList(found: unknown, schema: JsonSchema | undefined): string | undefined {
  const [first] = schema?.items?.required ?? Object.keys(schema?.items?.properties ?? {});
  if (typeof found === "string" && first === undefined)
    return `write it as an entry, on a line of its own: - ${found}`;
  return first === undefined ? undefined : `start every entry with a -, as in - ${first}: ...`;
}

function ofPattern(found: string, wanted: string): string | undefined {
  if (wanted.includes("start with /")) return `write /${found}`;
  if (wanted.includes("an address such as") && !found.includes("://")) return `write https://${found}`;
  if (wanted.includes("one word") && found.includes(" ")) {
    return `write each on a line of its own: ${found
      .split(/\s+/)
      .map((word) => `- ${word}`)
      .join(", ")}`;
  }
  const plain = found
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const isName = /a name|lower case|application's name|a namespace|a cluster/.test(wanted);
  return isName && plain !== "" && plain.length <= 63 ? `write ${plain}` : undefined;
}

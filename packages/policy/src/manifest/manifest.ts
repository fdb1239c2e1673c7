import type { z } from "zod";
import type { Application } from "../application.ts";
import { toApplication } from "./assemble.ts";
import { openDocuments } from "./documents.ts";
import type { ManifestDocument, Path, Problem } from "./documents.ts";
import { nearMiss } from "../near-miss.ts";
import { foreignFields } from "./foreign-fields.ts";
import { manifestSchema, schemaAt } from "./schema.ts";
import type { JsonSchema } from "./schema.ts";
import { suggestion } from "./suggestion.ts";
import { restoreUnresolved, unresolvedName } from "./template.ts";

/** A file of manifests. */
export interface ManifestSource {
  /** Its name, as problems should show it. */
  readonly file: string;
  readonly text: string;
}

/** What the files do not say themselves. */
export interface ManifestOptions {
  /** The cluster that the applications run in. */
  readonly cluster: string;
  /** The namespace of a manifest that names none. Without it such a manifest is a problem. */
  readonly namespace?: string;
  /** Values for `{{ name }}`. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** Everything that the files declare, and everything that is wrong with them. */
export interface ParsedManifests {
  readonly applications: Application[];
  readonly problems: Problem[];
}

/**
 * Reads the manifests in `sources`: `nais.io/v1alpha1` Application, Naisjob, and `portvakt.dev/v1`. Documents of
 * other kinds and fields of no concern to us are passed over in silence.
 *
 * *Checks*: YAML syntax, every field that concerns us, slips of the finger near such a field, names declared twice.
 * *Does not check*: that the applications named in rules exist (see `Policy.warnings`).
 * *Throws*: nothing. A manifest with a wrong field gives a problem and no application; a misspelt field is ignored,
 * so it gives a problem and an application that admits less than its author meant.
 */
export function parseManifests(
  sources: readonly ManifestSource[],
  options: ManifestOptions,
): ParsedManifests {
  const applications: Application[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, Application>();
  for (const source of sources) {
    for (const document of openDocuments(source, options.values ?? {}, problems)) {
      const application = readDocument(document, options, problems);
      if (application === undefined) continue;
      const first = seen.get(application.id);
      if (first !== undefined) {
        problems.push({
          file: document.file,
          ...document.locate(["metadata", "name"]),
          message: `${application.id} is declared twice`,
          hint: `it is declared in ${first.source.file}:${first.source.line} already, which is the one that counts`,
        });
        continue;
      }
      seen.set(application.id, application);
      applications.push(application);
    }
  }
  return { applications, problems: inOrder(problems, sources) };
}

/** As somebody reads the files: from the first to the last, each from top to bottom. */
function inOrder(problems: readonly Problem[], sources: readonly ManifestSource[]): Problem[] {
  const place = new Map(sources.map(({ file }, index) => [file, index]));
  return problems.toSorted(
    (one, other) =>
      (place.get(one.file) ?? 0) - (place.get(other.file) ?? 0) ||
      one.line - other.line ||
      one.column - other.column,
  );
}

function readDocument(
  document: ManifestDocument,
  options: ManifestOptions,
  problems: Problem[],
): Application | undefined {
  if (!concernsUs(document, problems)) return undefined;
  const report = (path: Path, part: "key" | "value", message: string, hint: string): void => {
    problems.push({ file: document.file, ...document.locate(path, part), message, hint });
  };
  const unresolved = new Set<string>();
  reportUnresolved(document.value, [], (path, name) => {
    unresolved.add(path.join("."));
    report(
      path,
      "value",
      `${path.join(".")} needs {{ ${name} }}, which has no value`,
      `give ${name} a value`,
    );
  });
  const misspelt = new Set<string>();
  reportMisspelt(document.value, [], (path, meant) => {
    const field = path.at(-1) ?? "";
    misspelt.add([...path.slice(0, -1), meant].join("."));
    report(
      path,
      "key",
      `${path.join(".")} is not a field, so it has no effect`,
      `did you mean ${meant}, not ${field}?`,
    );
  });
  const result = manifestSchema.safeParse(restored(document.value));
  if (!result.success) {
    for (const issue of result.error.issues) {
      const path = issue.path.filter((step) => typeof step !== "symbol");
      const told = unresolved.has(path.join(".")) || misspelt.has(path.join("."));
      if (!told) reportIssue(issue, path, document.value, report);
    }
    return undefined;
  }
  if (unresolved.size > 0) return undefined;
  if (result.data.metadata.namespace === undefined && options.namespace === undefined) {
    report(
      ["metadata"],
      "key",
      "metadata.namespace is missing",
      "say which namespace the application runs in",
    );
    return undefined;
  }
  return toApplication(result.data, document, options);
}

/** Whether the document is a manifest of ours. Near misses in `apiVersion` and `kind` are reported. */
function concernsUs(document: ManifestDocument, problems: Problem[]): boolean {
  if (!isRecord(document.value)) return false;
  const { apiVersion, kind } = document.value;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return false;
  const report = (field: string, message: string, hint: string): void => {
    problems.push({ file: document.file, ...document.locate([field]), message, hint });
  };
  const group = apiVersion.split("/", 1)[0] ?? "";
  if (group !== "nais.io" && group !== "portvakt.dev") return false;
  const meant =
    kind === "Application" || kind === "Naisjob" ? kind : nearMiss(kind, ["Application", "Naisjob"]);
  if (meant === undefined) return false;
  if (meant !== kind) {
    report("kind", `kind ${kind} is not known, so this manifest has no effect`, `did you mean ${meant}?`);
    return false;
  }
  const versions = group === "portvakt.dev" ? ["portvakt.dev/v1"] : ["nais.io/v1alpha1", "nais.io/v1"];
  if (versions.includes(apiVersion)) return true;
  report(
    "apiVersion",
    `${apiVersion} is not a version of ${kind} that is known here`,
    `write ${versions[0]}`,
  );
  return false;
}

type Report = (path: Path, part: "key" | "value", message: string, hint: string) => void;

function reportIssue(issue: z.core.$ZodIssue, path: Path, value: unknown, report: Report): void {
  const field = path.join(".");
  const found = valueAt(value, path);
  const name = path.findLast((step) => typeof step === "string") ?? "";
  const hint = suggestion(issue, found, name, schemaAt(path)) ?? hintFor(path);
  if (found === undefined) {
    report(path, "key", `${field} is missing`, hint);
    return;
  }
  report(path, "value", `${field} ${wanted(issue)}, but is ${shown(found)}`, hint);
}

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `should be ${typeNames[issue.expected] ?? issue.expected}`;
  if (issue.code === "invalid_value") return `should be one of ${issue.values.join(", ")}`;
  if (issue.code === "too_big") return `should be at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === "too_small") return `should be at least ${issue.minimum}${unitOf(issue.origin)}`;
  return issue.message;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list (lines that start with -)",
  object: "fields (name: value), one a line",
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a group of fields";
  if (typeof value !== "string") return JSON.stringify(value);
  const text = restoreUnresolved(value);
  return `the text "${text.length > 60 ? `${text.slice(0, 60)}...` : text}"`;
}

function hintFor(path: Path): string {
  const description = schemaAt(path)?.description;
  if (description !== undefined) return description;
  const field = path.findLast((step) => typeof step === "string");
  return `see the manifest reference for ${field ?? "this field"}`;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current) && typeof step === "number") current = current[step];
    else if (isRecord(current) && Object.hasOwn(current, step)) current = current[step];
    else return undefined;
  }
  return current;
}

function reportUnresolved(value: unknown, path: Path, found: (path: Path, name: string) => void): void {
  walkKnown(value, path, (scalar, at) => {
    const name = typeof scalar === "string" ? unresolvedName(scalar) : undefined;
    if (name !== undefined && !mayStayUnresolved(at)) found(at, name);
  });
}

/** The image and the values of variables may keep a `{{ name }}`: nothing here depends on what they say. */
function mayStayUnresolved(path: Path): boolean {
  return path[0] === "spec" && (path[1] === "image" || (path[1] === "env" && path.at(-1) === "value"));
}

/** Visits every scalar in a field that the schema knows. */
function walkKnown(value: unknown, path: Path, visit: (scalar: unknown, path: Path) => void): void {
  if (schemaAt(path) === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walkKnown(item, [...path, index], visit);
  } else if (isRecord(value)) {
    for (const [key, field] of Object.entries(value)) walkKnown(field, [...path, key], visit);
  } else {
    visit(value, path);
  }
}

function reportMisspelt(value: unknown, path: Path, found: (path: Path, meant: string) => void): void {
  const schema = schemaAt(path);
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) reportMisspelt(item, [...path, index], found);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, field] of Object.entries(value)) {
    const properties: Readonly<Record<string, JsonSchema>> = schema.properties ?? {};
    if (Object.hasOwn(properties, key)) {
      reportMisspelt(field, [...path, key], found);
      continue;
    }
    if (foreignFields(path).has(key)) continue;
    const meant = nearMiss(
      key,
      Object.keys(properties).filter((known) => !Object.hasOwn(value, known)),
    );
    if (meant !== undefined) found([...path, key], meant);
  }
}

function restored(value: unknown): unknown {
  if (typeof value === "string") return restoreUnresolved(value);
  if (Array.isArray(value)) return value.map((item) => restored(item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, restored(field)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// From an environment and a schema to frozen, typed settings; every problem is found before any is reported.
import { readFileSync } from "node:fs";
import { scrub } from "../observe/redact.ts";
import { SettingProblem } from "./setting.ts";
import type { Setting } from "./setting.ts";

/** What a process reads: a name in the program for each setting. */
export type Schema = Readonly<Record<string, Setting<unknown>>>;

/** The values that a schema gives. */
export type SettingsOf<S extends Schema> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** One thing that is wrong with the environment. Values of secrets are never part of it. */
export interface Problem {
  readonly env: string;
  readonly problem: string;
  readonly hint?: string;
}

/** Every problem of an environment at once. */
export class SettingsError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(
      problems
        .map(({ env, problem, hint }) => `${env} ${problem}${hint === undefined ? "" : ` (hint: ${hint})`}`)
        .join("\n"),
    );
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** A setting with what the environment made of it. */
export interface Reading {
  readonly name: string;
  readonly setting: Setting<unknown>;
  /** The variable that gave the value, "default", or "unset". */
  readonly source: string;
  readonly text: string | undefined;
  readonly value: unknown;
  readonly problem?: Problem;
}

const maxSecretFileBytes = 65_536;

/** Declares what a process reads. Names must be unique over the schema, or this throws: two settings would fight over one variable. */
export function defineSettings<const S extends Schema>(schema: S): S {
  const owners = new Map<string, string>();
  for (const [name, { env }] of Object.entries(schema)) {
    const owner = owners.get(env[0]);
    if (owner !== undefined) throw new TypeError(`${env[0]} names both ${owner} and ${name}`);
    owners.set(env[0], name);
  }
  return schema;
}

interface Found {
  readonly source: string;
  readonly text: string;
}

function readSecretFile(variable: string, path: string): Found {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new SettingProblem(`names a file that cannot be read: ${code}`);
  }
  if (text.length > maxSecretFileBytes)
    throw new SettingProblem(`names a file of more than ${maxSecretFileBytes} bytes`);
  const trimmed = text.replace(/\r?\n$/, "");
  if (trimmed === "") throw new SettingProblem("names an empty file");
  return { source: variable, text: trimmed };
}

/** The first name that is set wins, ours before aliases; an empty string is the same as unset. */
function find(
  setting: Setting<unknown>,
  env: Environment,
): Found | { readonly file: string; readonly path: string } | undefined {
  for (const name of setting.env) {
    const text = env[name];
    if (text !== undefined && text !== "") return { source: name, text };
    if (!setting.secret) continue;
    const path = env[`${name}_FILE`];
    if (path !== undefined && path !== "") return { file: `${name}_FILE`, path };
  }
  return undefined;
}

function problemOf(env: string, error: unknown, text?: string): Problem {
  if (!(error instanceof SettingProblem)) throw error;
  // A password may stand where none belongs, also in what is no URL.
  const safe = text === undefined ? undefined : scrub(text).replaceAll(/[^\s/@]+@/g, "[redacted]@");
  const shown =
    safe === undefined ? "" : ` (it is ${JSON.stringify(safe.length > 60 ? `${safe.slice(0, 60)}…` : safe)})`;
  return {
    env,
    problem: `${error.message}${shown}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

function readOne(name: string, setting: Setting<unknown>, env: Environment): Reading {
  const base = { name, setting, source: "unset", text: undefined, value: undefined };
  const where = find(setting, env);
  if (where === undefined) {
    const value = setting.fallback();
    if (value !== undefined) return { ...base, source: "default", text: setting.defaultText, value };
    if (setting.optional) return base;
    return { ...base, problem: { env: setting.env[0], problem: "is not set", hint: setting.doc } };
  }
  const source = "file" in where ? where.file : where.source;
  let found: Found | undefined;
  try {
    found = "file" in where ? readSecretFile(where.file, where.path) : where;
    return { ...base, ...found, value: setting.parse(found.text) };
  } catch (error) {
    return {
      ...base,
      source,
      text: found?.text,
      problem: problemOf(source, error, setting.secret ? undefined : found?.text),
    };
  }
}

/** Reads every setting of the schema, problems included. The seam that `readSettings` and `printSettings` share. */
export function readEach(schema: Schema, env: Environment): readonly Reading[] {
  return Object.entries(schema).map(([name, setting]) => readOne(name, setting, env));
}

/** Letters that must be changed, added or left out to make `b` of `a`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Variables under our own prefix that no setting reads: nearly always a misspelling, and a misspelt setting is a security hole. */
function unknownVariables(schema: Schema, env: Environment): Problem[] {
  const known = new Set<string>();
  const prefixes = new Set<string>();
  for (const { env: names, secret } of Object.values(schema)) {
    for (const name of names) {
      known.add(name);
      if (secret) known.add(`${name}_FILE`);
    }
    const prefix = /^PORTVAKT_[A-Z0-9]+_/.exec(names[0])?.[0];
    if (prefix !== undefined) prefixes.add(prefix);
  }
  const problems: Problem[] = [];
  for (const name of Object.keys(env)) {
    if (known.has(name) || env[name] === "" || ![...prefixes].some((prefix) => name.startsWith(prefix)))
      continue;
    const nearest = [...known]
      .filter((other) => other.startsWith("PORTVAKT_"))
      .sort((a, b) => distance(name, a) - distance(name, b))[0];
    problems.push({
      env: name,
      problem: "is no setting",
      ...(nearest === undefined ? {} : { hint: `did you mean ${nearest}?` }),
    });
  }
  return problems;
}

/**
 * Reads the settings of a process from its environment.
 * *Checks* every setting's form and own check, what is missing, and misspelt `PORTVAKT_<APP>_*` names.
 * *Does not check* what two settings mean together; the app does.
 * *Throws* SettingsError with every problem at once.
 */
export function readSettings<S extends Schema>(schema: S, env: Environment): SettingsOf<S> {
  const readings = readEach(schema, env);
  const problems = [
    ...readings.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
    ...unknownVariables(schema, env),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(Object.fromEntries(readings.map(({ name, value }) => [name, value]))) as SettingsOf<S>;
}

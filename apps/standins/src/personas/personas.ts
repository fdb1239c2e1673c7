import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { isSyntheticPid } from "./national-identity.ts";

/** The levels of ID-porten, lowest first. */
export const levels = ["idporten-loa-low", "idporten-loa-substantial", "idporten-loa-high"] as const;

const about = z.strictObject({ nb: z.string(), en: z.string() }).default({ nb: "", en: "" });
const personaId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "a persona's id is a short lower-case word");
const claims = z.record(z.string(), z.json()).default({});

const citizen = z.strictObject({
  id: personaId,
  name: z.string().min(1),
  pid: z
    .string()
    .refine(isSyntheticPid, "must be a synthetic number (month + 80) with right check digits")
    .optional(),
  level: z.enum(levels),
  amr: z.string().default("TestID"),
  locale: z.enum(["nb", "nn", "en", "se"]).default("nb"),
  cancels: z.boolean().default(false),
  about,
  claims,
});

const employee = z.strictObject({
  id: personaId,
  name: z.string().min(1),
  username: z.string().min(3),
  tenant: z.string().optional(),
  NAVident: z.string().optional(),
  groups: z.array(z.guid()).default([]),
  generatedGroups: z.int().min(0).max(2000).default(0),
  guest: z.boolean().default(false),
  cancels: z.boolean().default(false),
  about,
  claims,
});

const personasSchema = z.strictObject({
  citizens: z.array(citizen).default([]),
  employees: z.array(employee).default([]),
  groups: z.array(z.strictObject({ id: z.guid(), name: z.string() })).default([]),
});

export type Citizen = z.output<typeof citizen>;
export type Employee = z.output<typeof employee>;
export type Personas = z.output<typeof personasSchema>;

/**
 * Parses the personas file.
 *
 * Checks: shape, that every national identity number is a synthetic one, that no id is used twice.
 * Does not check: that names are made up.
 * Throws: Error, naming each problem.
 */
export function parsePersonas(yaml: string): Personas {
  const result = personasSchema.safeParse(parse(yaml));
  if (!result.success) throw new Error(`the personas file is wrong:\n${z.prettifyError(result.error)}`);
  for (const people of [result.data.citizens, result.data.employees]) {
    const ids = people.map((person) => person.id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) throw new Error(`the personas file names ${twice} twice`);
  }
  return result.data;
}

/** The personas that come with the stand-ins. */
export function builtinPersonas(): Personas {
  return parsePersonas(readFileSync(new URL("builtin.yaml", import.meta.url), "utf8"));
}

/** Every group of an employee, the generated ones included. */
export function groupsOf(person: Employee): string[] {
  const generated = Array.from({ length: person.generatedGroups }, (_, index) =>
    stableUuid(`group:${index}`),
  );
  return [...person.groups, ...generated];
}

/** The same UUID for the same text, always: object ids, generated groups (RFC 9562 section 5.8, version 8). */
export function stableUuid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

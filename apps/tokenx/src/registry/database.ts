import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ProtocolError } from "@portvakt/oauth";
import { SettingsError } from "@portvakt/runtime/config";
import { Secret } from "@portvakt/runtime/observe";
import type { Logger } from "@portvakt/runtime/observe";
import { createKeyRing } from "@portvakt/runtime/seal";
import type { KeyRing } from "@portvakt/runtime/seal";
import { openSqlDatabase } from "@portvakt/runtime/store";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { migrations } from "./schema.ts";
import type { TokenxTables } from "./schema.ts";

export interface DatabaseSettings {
  readonly databaseUrl?: Secret | undefined;
  readonly dataDirectory: string;
  readonly sealKeys?: readonly Secret[] | undefined;
}

/** Opens PostgreSQL or PGlite, up to date, with the ring that seals what is secret in it. *Throws* SettingsError. */
export async function openDatabase(
  settings: DatabaseSettings,
  log: Logger,
): Promise<{ db: SqlDatabase<TokenxTables>; ring: KeyRing }> {
  const ring = createKeyRing(await sealKeysOf(settings));
  const { databaseUrl, dataDirectory } = settings;
  const url = databaseUrl && new Secret(databaseUrl.reveal().replace(/^jdbc:/, ""));
  const inMemory = dataDirectory === "memory";
  const db = await openSqlDatabase<TokenxTables>({
    log,
    url,
    directory: inMemory ? undefined : dataDirectory,
  });
  await db.migrate(migrations);
  return { db, ring };
}

/**
 * What a request waits for from the database. A fault there is nearly always that it cannot be reached, and passes.
 * *Throws* ProtocolError temporarily_unavailable (503), with the fault as its cause.
 */
export async function fromDatabase<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new ProtocolError("temporarily_unavailable", "the database cannot be reached", { cause });
  }
}

/** With PostgreSQL the keys must be given: a key that lies beside what it seals protects nothing there. */
async function sealKeysOf({
  databaseUrl,
  dataDirectory,
  sealKeys,
}: DatabaseSettings): Promise<readonly Secret[]> {
  if (sealKeys !== undefined && sealKeys.length > 0) return sealKeys;
  if (databaseUrl !== undefined)
    throw new SettingsError([
      {
        env: "PORTVAKT_TOKENX_SEAL_KEYS",
        problem: "must be set when PostgreSQL is used",
        hint: "one key or several, base64 of 32 bytes each: openssl rand -base64 32",
      },
    ]);
  if (dataDirectory === "memory") return [newKey()];
  const file = `${dataDirectory}.key`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, newKey().reveal(), { flag: "wx", mode: 0o600 }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  return [new Secret((await readFile(file, "utf8")).trim())];
}

function newKey(): Secret {
  return new Secret(randomBytes(32).toString("base64"));
}

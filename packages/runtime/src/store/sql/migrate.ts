// Migrations through kysely's Migrator, which holds an advisory lock and a transaction around them.
import type { Kysely } from "kysely";
import type { Migration as KyselyMigration } from "kysely/migration";
import type { Migration } from "./contract.ts";

/** Takes the steps that were not taken yet, in the order of their names. *Throws* the first step's error. */
export async function migrate<S>(
  query: Kysely<S>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  const { Migrator } = await import("kysely/migration");
  const steps = migrations as unknown as Record<string, KyselyMigration>;
  const migrator = new Migrator({
    db: query,
    provider: { getMigrations: async () => steps },
    migrationTableName: "portvakt_migration",
    migrationLockTableName: "portvakt_migration_lock",
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find(({ status }) => status === "Error")?.migrationName;
  throw new Error(
    failed === undefined ? "the database could not be migrated" : `migration ${failed} failed`,
    { cause: error },
  );
}

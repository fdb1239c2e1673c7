// The tests that every SQL database passes.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Generated, Kysely } from "kysely";
import { eventually } from "./eventually.ts";
import type { Migration, SqlDatabase } from "../sql/contract.ts";

/** The tables that the suite makes. */
export interface SuiteSchema {
  suite_item: { id: Generated<number>; name: string; weight: number };
}

const migrations: Readonly<Record<string, Migration>> = {
  "0001_items": {
    up: async (db: Kysely<never>) => {
      const item = db.schema
        .createTable("suite_item")
        .addColumn("id", "serial", (column) => column.primaryKey());
      await item.addColumn("name", "text", (column) => column.notNull().unique()).execute();
    },
  },
  "0002_weight": {
    up: async (db: Kysely<never>) => {
      await db.schema
        .alterTable("suite_item")
        .addColumn("weight", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
};

/** Registers the suite over an empty database. `open` may be called twice: the second is another replica, or the same where there can be no other. */
export function sqlSuite(
  name: string,
  open: () => Promise<SqlDatabase<SuiteSchema>>,
  replicas: 1 | 2 = 2,
): void {
  describe(`SQL database: ${name}`, { timeout: 60_000 }, () => {
    let here: SqlDatabase<SuiteSchema>;
    let there: SqlDatabase<SuiteSchema>;
    before(async () => {
      here = await open();
      there = replicas === 1 ? here : await open();
    });
    after(async () => {
      await here.close();
      if (there !== here) await there.close();
    });

    const databases: Databases = {
      get here() {
        return here;
      },
      get there() {
        return there;
      },
    };
    migrating(databases);
    transactions(databases);
    notifications(databases);

    it("answers a ping", () => here.ping());
  });
}

interface Databases {
  readonly here: SqlDatabase<SuiteSchema>;
  readonly there: SqlDatabase<SuiteSchema>;
}

function migrating(databases: Databases): void {
  it("migrates once however many replicas start, and again without effect", async () => {
    await Promise.all([databases.here.migrate(migrations), databases.there.migrate(migrations)]);
    await databases.here.migrate(migrations);
    const item = await databases.here.query
      .insertInto("suite_item")
      .values({ name: randomUUID(), weight: 3 })
      .returningAll()
      .executeTakeFirstOrThrow();
    assert.equal(item.weight, 3);
  });

  it("undoes a migration that fails, and names it", async () => {
    const bad: Record<string, Migration> = {
      ...migrations,
      "0003_bad": {
        up: async (db: Kysely<never>) => {
          await db.schema.createTable("suite_half").addColumn("id", "integer").execute();
          throw new Error("no");
        },
      },
    };
    await assert.rejects(databases.here.migrate(bad), /migration 0003_bad failed/);
    await assert.rejects(
      databases.here.sql`select 1 from suite_half`.execute(databases.here.query),
      /suite_half/,
    );
    await databases.here.migrate(migrations);
  });
}

function transactions(databases: Databases): void {
  it("runs transactions side by side, each seeing only its own until it commits", async () => {
    const names = Array.from({ length: 8 }, () => randomUUID());
    const each = names.map((item, index) =>
      (index % 2 === 0 ? databases.here : databases.there).query.transaction().execute(async (trx) => {
        await trx.insertInto("suite_item").values({ name: item, weight: 1 }).execute();
        const seen = await trx
          .selectFrom("suite_item")
          .select("name")
          .where("name", "in", names)
          .where("name", "=", item)
          .execute();
        assert.equal(seen.length, 1);
      }),
    );
    await Promise.all(each);
    const rows = await databases.here.query
      .selectFrom("suite_item")
      .select("name")
      .where("name", "in", names)
      .execute();
    assert.equal(rows.length, names.length);
  });

  it("leaves nothing of a transaction that throws", async () => {
    const item = randomUUID();
    const failing = databases.here.query.transaction().execute(async (trx) => {
      await trx.insertInto("suite_item").values({ name: item, weight: 1 }).execute();
      throw new Error("undo");
    });
    await assert.rejects(failing, /undo/);
    assert.deepEqual(
      await databases.here.query.selectFrom("suite_item").select("id").where("name", "=", item).execute(),
      [],
    );
  });
}

function notifications(databases: Databases): void {
  it("notifies listeners, in a transaction when it commits and never when it does not", async () => {
    const heard: (string | undefined)[] = [];
    const stop = await databases.there.listen("suite_channel", (payload) => heard.push(payload));
    const undone = databases.here.query.transaction().execute(async (trx) => {
      await databases.here.notify("suite_channel", "undone", trx);
      throw new Error("undo");
    });
    await assert.rejects(undone, /undo/);
    await databases.here.query
      .transaction()
      .execute((trx) => databases.here.notify("suite_channel", "committed", trx));
    await databases.here.notify("suite_channel", "plain");
    await eventually(() => heard.length >= 2);
    await stop();
    assert.deepEqual(heard, ["committed", "plain"]);
  });

  it("refuses a channel name that would be SQL", async () => {
    await assert.rejects(
      databases.here.listen("a; drop table suite_item", () => {}),
      RangeError,
    );
  });
}

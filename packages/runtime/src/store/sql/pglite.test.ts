import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openSqlDatabase } from "../index.ts";
import { sqlSuite } from "../suite.ts";

sqlSuite("PGlite", () => openSqlDatabase(), 1);

describe("PGlite in a directory", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "portvakt-pglite-"));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function open(directory: string): ReturnType<typeof openSqlDatabase<{ kept: { word: string } }>> {
    const db = await openSqlDatabase<{ kept: { word: string } }>({ directory });
    await db.query.schema.createTable("kept").ifNotExists().addColumn("word", "text").execute();
    return db;
  }

  it("finds again what was written before", async () => {
    const directory = join(folder, "kept");
    const first = await open(directory);
    await first.query.insertInto("kept").values({ word: "here" }).execute();
    await first.close();
    const second = await open(directory);
    const rows = await second.query.selectFrom("kept").selectAll().execute();
    await second.close();
    assert.deepEqual(rows, [{ word: "here" }]);
  });

  it("starts anew where the process was killed while it made the database", async () => {
    const directory = join(folder, "killed");
    await mkdir(directory);
    await writeFile(join(directory, "PG_VERSION"), "18\n");
    await writeFile(`${directory}.unfinished`, "");
    const db = await open(directory);
    await db.ping();
    await db.close();
    assert.ok(!existsSync(`${directory}.unfinished`));
  });
});

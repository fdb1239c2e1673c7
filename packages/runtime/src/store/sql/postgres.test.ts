import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Client } from "pg";
import { Secret } from "../../observe/index.ts";
import { eventually } from "../suite/eventually.ts";
import { openSqlDatabase, StoreUnavailable } from "../index.ts";
import { sqlSuite } from "../suite.ts";

const address = process.env["PORTVAKT_TEST_POSTGRES_URL"] ?? "";
const name = `runtime_${randomUUID().replaceAll("-", "")}`;

/** The address of the test's own database, made empty for it. */
function own(): Secret {
  const url = new URL(address);
  url.pathname = `/${name}`;
  return new Secret(url.href);
}

describe("PostgreSQL", { timeout: 60_000 }, () => {
  let control: Client;
  before(async () => {
    assert.ok(
      address !== "",
      "PORTVAKT_TEST_POSTGRES_URL is not set: start PostgreSQL and name it, for example postgres://user@127.0.0.1:5432/postgres",
    );
    control = new Client({ connectionString: address });
    await control.connect();
    await control.query(`create database ${name}`);
  });
  after(async () => {
    await control.query(`drop database ${name} with (force)`);
    await control.end();
  });

  sqlSuite("PostgreSQL", () => openSqlDatabase({ url: own() }));

  it("listens again after the connection was lost, and says that something may have been missed", async () => {
    const database = await openSqlDatabase({ url: own() });
    const heard: (string | undefined)[] = [];
    const stop = await database.listen("healing", (payload) => heard.push(payload));
    await database.notify("healing", "before");
    await eventually(() => heard.length === 1);
    await control.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    await eventually(() => heard.includes(undefined));
    await database.notify("healing", "after");
    await eventually(() => heard.length === 3);
    assert.deepEqual(heard, ["before", undefined, "after"]);
    await stop();
    await database.close();
  });

  it("fails a ping within 2 s where nothing answers, and never shows the password", async () => {
    const database = await openSqlDatabase({ url: new Secret("postgres://user:hunter2@127.0.0.1:1/none") });
    const asked = performance.now();
    await assert.rejects(
      database.ping(),
      (error: Error) =>
        error instanceof StoreUnavailable && !`${error.message}${String(error.cause)}`.includes("hunter2"),
    );
    assert.ok(performance.now() - asked < 2500);
    await database.close();
  });
});

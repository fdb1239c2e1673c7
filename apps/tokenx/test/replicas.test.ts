/** Three replicas on one PostgreSQL. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { SettingsError } from "@portvakt/runtime/config";
import { createLogger, createMetrics, Secret } from "@portvakt/runtime/observe";
import { openSqlDatabase } from "@portvakt/runtime/store";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { JSONWebKeySet } from "jose";
import { sql } from "kysely";
import { replaceSigningKeys } from "../src/index.ts";
import { revocationChannel } from "../src/registry/revocations.ts";
import type { TokenxTables } from "../src/registry/schema.ts";
import { freshDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { party, platform, provider, settingsOf } from "./platform.ts";
import type { Platform, Shared } from "./platform.ts";

const caller = "local:a:caller";
const target = "local:a:target";
let shared: Shared;
let replicas: [Platform, Platform, Platform];
let databaseUrl: string;
const sealKey = randomBytes(32).toString("base64");

function replica(env: Record<string, string> = {}): Promise<Platform> {
  return platform({
    beside: shared,
    env: { DATABASE_URL: databaseUrl, PORTVAKT_TOKENX_SEAL_KEYS: sealKey, ...env },
  });
}

before(async () => {
  databaseUrl = await freshDatabase();
  shared = {
    issuer: "https://tokenx.example",
    clock: { now: 1_750_000_000 },
    registrar: await party("registrar", "RS256"),
    idporten: await provider(),
    apps: new Map(),
  };
  replicas = await Promise.all([replica(), replica(), replica()]);
  await replicas[0].register(caller);
  assert.equal((await replicas[0].register(target, { accessPolicyInbound: [caller] })).status, 201);
});
after(async () => {
  await Promise.all(replicas.map((one) => one.close()));
  await shared.idporten.close();
});

const kids = async (of: Platform) => {
  const { keys } = (await (await fetch(`${of.running.addresses["tokenx"]}/jwks`)).json()) as {
    keys: { kid: string }[];
  };
  return keys.map(({ kid }) => kid).sort();
};

test("three replicas that start at once on an empty database agree on everything", async () => {
  const [first, ...others] = await Promise.all(replicas.map(kids));
  assert.equal(first?.length, 2);
  for (const other of others) assert.deepEqual(other, first);
});

test("weak point 4.4.3: the same assertion to two replicas at once is accepted exactly once", async () => {
  for (let round = 0; round < 10; round++) {
    const client_assertion = await replicas[0].assertion(caller);
    const form = { subject_token: await replicas[0].subjectToken(), audience: target, client_assertion };
    const answers = await Promise.all(replicas.map((one) => one.exchange(caller, form)));
    assert.deepEqual(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [200, 401, 401],
    );
  }
});

test("a client that one replica registered can use another at once, before any notice: the registry is read afresh", async () => {
  const id = "local:a:fresh";
  await replicas[1].register(target, { accessPolicyInbound: [caller, id] });
  await replicas[1].register(id);
  const answer = await replicas[2].exchange(id, {
    subject_token: await replicas[2].subjectToken(),
    audience: target,
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
});

test("a key that one replica registered is known to another at once", async () => {
  const id = "local:a:rekeyed";
  await replicas[0].register(id);
  await replicas[1].exchange(id, { subject_token: await replicas[1].subjectToken(), audience: target });
  shared.apps.set(id, await party());
  shared.clock.now += 1;
  await replicas[0].register(id);
  const answer = await replicas[1].exchange(id, {
    subject_token: await replicas[1].subjectToken(),
    audience: target,
  });
  assert.equal(
    answer.body["error"],
    "invalid_target",
    "authenticated by the new key; the target does not admit it",
  );
});

// By notice: the poll is an hour away here. The chaos command prints the milliseconds.
test("a deleted client is refused on every replica at once", async (t) => {
  const id = "local:a:deleted";
  await replicas[0].register(id);
  await replicas[0].register(target, { accessPolicyInbound: [caller, id] });
  const form = async () => ({ subject_token: await replicas[0].subjectToken(), audience: target });
  // The target's new rule comes to the others by a notice.
  for (const one of replicas)
    await eventually(async () => ((await one.exchange(id, await form())).status === 200 ? true : undefined));
  const headers = { authorization: `Bearer ${await replicas[0].bearer()}` };
  await fetch(`${replicas[0].running.addresses["tokenx"]}/registration/client/${id}`, {
    method: "DELETE",
    headers,
  });
  for (const one of replicas) {
    const { took } = await eventually(async () =>
      (await one.exchange(id, await form())).status === 401 ? true : undefined,
    );
    t.diagnostic(`after ${took.toFixed(3)} s`);
  }
});

test("a policy that one replica registered is in force on every replica at once", async (t) => {
  const id = "local:a:late";
  await replicas[0].register(id);
  shared.clock.now += 1;
  await replicas[0].register(target, { accessPolicyInbound: [caller, id] });
  for (const one of replicas) {
    const { took } = await eventually(async () => {
      const { status } = await one.exchange(id, {
        subject_token: await one.subjectToken(),
        audience: target,
      });
      return status === 200 ? true : undefined;
    });
    t.diagnostic(`after ${took.toFixed(3)} s`);
  }
});

test("a deletion that no notice told of is found by asking now and then", async () => {
  const own = await freshDatabase();
  const on = await replica({ DATABASE_URL: own, PORTVAKT_TOKENX_POLL_INTERVAL: "200ms" });
  await on.register(caller);
  await on.register(target, { accessPolicyInbound: [caller] });
  const exchanged = async () =>
    on.exchange(caller, { subject_token: await on.subjectToken(), audience: target });
  assert.equal((await exchanged()).status, 200);
  const db = await openSqlDatabase<TokenxTables>({ url: new Secret(own) });
  const { revision } = await db.query
    .selectFrom("clients")
    .select(({ fn }) => fn.max("revision").as("revision"))
    .executeTakeFirstOrThrow();
  await db.query
    .updateTable("clients")
    .set({ registration: null, revision: Number(revision) + 1 })
    .where("client_id", "=", caller)
    .execute();
  const { value } = await eventually(async () => {
    const { status, body } = await exchanged();
    return status === 200 ? undefined : body["error"];
  });
  assert.equal(value, "invalid_client");
  await db.close();
  await on.close();
});

test("weak point 4.4.6: the signing keys in the database are sealed", async () => {
  const db = await openSqlDatabase<{ signing_keys: { sealed: string } }>({ url: new Secret(databaseUrl) });
  const rows = await db.query.selectFrom("signing_keys").select("sealed").execute();
  await db.close();
  assert.ok(rows.length > 0);
  for (const { sealed } of rows)
    assert.doesNotMatch(Buffer.from(sealed, "base64url").toString("latin1") + sealed, /"kty"|"d":/);
});

test("a replica without the sealing key does not start, and says why", async () => {
  await assert.rejects(
    replica({ PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64") }),
    /PORTVAKT_TOKENX_SEAL_KEYS/,
  );
});

test("sealing keys are a ring: a new first one seals, those after it still open", async () => {
  const fresh = randomBytes(32).toString("base64");
  const own = await freshDatabase();
  const started = (keys: string) => replica({ DATABASE_URL: own, PORTVAKT_TOKENX_SEAL_KEYS: keys });
  const first = await started(sealKey);
  const before = await kids(first);
  await first.close();
  const second = await started(`${fresh},${sealKey}`);
  assert.deepEqual(await kids(second), before);
  await second.close();
});

test("no issued token leaves a row: what an exchange writes is the assertion that was used, for as long as it could be used again", async () => {
  const own = await freshDatabase();
  const on = await replica({ DATABASE_URL: own });
  await on.register(caller);
  await on.register(target, { accessPolicyInbound: [caller] });
  const db = await openSqlDatabase<TokenxTables>({ url: new Secret(own) });
  const tables = ["clients", "signing_keys", "revocations", "decisions"] as const;
  const count = async (): Promise<number[]> => {
    const results = tables.map((table) => db.query.selectFrom(table).selectAll().execute());
    return (await Promise.all(results)).map((rows) => rows.length);
  };
  const before = await count();
  for (let i = 0; i < 5; i++)
    assert.equal(
      (await on.exchange(caller, { subject_token: await on.subjectToken(), audience: target })).status,
      200,
    );
  assert.deepEqual(await count(), before);
  const used = await db.query.selectFrom("used_once").select("expires_at").execute();
  assert.ok(used.length >= 5 && used.every((row) => row.expires_at <= on.clock.now + 120 + 10));
  await db.close();
  await on.close();
});

test("PostgreSQL without a sealing key is a problem of the settings, which the process ends with exit code 2 for", async () => {
  const thrown: unknown = await replica({ PORTVAKT_TOKENX_SEAL_KEYS: "" }).catch((error: unknown) => error);
  assert.ok(thrown instanceof SettingsError, String(thrown));
  assert.equal(thrown.problems[0]?.env, "PORTVAKT_TOKENX_SEAL_KEYS");
});

test("rotation: the new key was published before it signed, and replicas agree on it without a word", async () => {
  const ahead = await kids(replicas[0]);
  shared.clock.now += 86_400;
  const used = await Promise.all(
    replicas.map(async (one) => {
      const { body } = await one.exchange(caller, {
        subject_token: await one.subjectToken(),
        audience: target,
      });
      return decodeProtectedHeader(String(body["access_token"])).kid;
    }),
  );
  assert.equal(new Set(used).size, 1);
  assert.ok(ahead.includes(used[0] ?? ""));
});

test("rotation under load: no request is lost, and every token verifies with a key set that was cached before", async () => {
  await replicas[0].register(target, { accessPolicyInbound: [caller] });
  // Whoever reads the keys next makes the one that follows, and tells the others.
  await (await replica()).close();
  await eventually(async () =>
    (await Promise.all(replicas.map(kids))).every(({ length }) => length > 2) ? true : undefined,
  );
  const cached = (await (
    await fetch(`${replicas[0].running.addresses["tokenx"]}/jwks`)
  ).json()) as JSONWebKeySet;
  const verify = createLocalJWKSet(cached);
  const exchangeAndVerify = async (by: Platform): Promise<string | undefined> => {
    const { status, body } = await by.exchange(caller, {
      subject_token: await by.subjectToken(),
      audience: target,
    });
    assert.equal(status, 200, JSON.stringify(body));
    const currentDate = new Date(shared.clock.now * 1000);
    const { protectedHeader } = await jwtVerify(String(body["access_token"]), verify, {
      audience: target,
      currentDate,
    });
    return protectedHeader.kid;
  };
  const burst = () =>
    Promise.all(
      Array.from({ length: 10 }, () => replicas)
        .flat()
        .map(exchangeAndVerify),
    );
  const before = new Set(await burst());
  shared.clock.now += 86_400;
  const after = new Set(await burst());
  assert.equal(before.size, 1);
  assert.equal(after.size, 1);
  assert.notDeepEqual(after, before);
});

test("emergency: one command replaces the keys on every replica, and what the old ones signed is refused", async () => {
  const chained = "local:a:chained";
  await replicas[0].register(chained, { accessPolicyInbound: [target] });
  const { body } = await replicas[0].exchange(caller, {
    subject_token: await replicas[0].subjectToken(),
    audience: target,
  });
  const subject_token = String(body["access_token"]);
  const before = await kids(replicas[0]);
  const env = { DATABASE_URL: databaseUrl, PORTVAKT_TOKENX_SEAL_KEYS: sealKey };
  const log = createLogger({ name: "test", level: "silent" });
  await replaceSigningKeys(settingsOf(shared, env), {
    now: () => shared.clock.now,
    log,
    metrics: createMetrics(),
  });
  for (const one of replicas) {
    await eventually(async () => ((await kids(one)).some((kid) => before.includes(kid)) ? undefined : true));
    const answer = await one.exchange(target, { subject_token, audience: chained });
    assert.equal(answer.body["error"], "invalid_request");
    assert.equal(
      (await one.exchange(caller, { subject_token: await one.subjectToken(), audience: target })).status,
      200,
    );
  }
});

test("deleting leaves a note of an application's id, and of nothing else that is asked for", async () => {
  const own = await freshDatabase();
  const on = await replica({ DATABASE_URL: own });
  const db = await openSqlDatabase<TokenxTables>({ url: new Secret(own) });
  const remove = async (id: string) => {
    const url = `${on.running.addresses["tokenx"]}/registration/client/${encodeURIComponent(id)}`;
    const headers = { authorization: `Bearer ${await on.bearer()}` };
    assert.equal((await fetch(url, { method: "DELETE", headers })).status, 204, id);
  };
  for (const id of ["no id", "a:b", "a:b:", "a".repeat(255), target]) await remove(id);
  const rows = await db.query.selectFrom("clients").select("client_id").execute();
  assert.deepEqual(rows, [{ client_id: target }]);
  await db.close();
  await on.close();
});

test("after a failover that lost the latest revisions, what is written with the same numbers is not passed over", async () => {
  const own = await freshDatabase();
  const on = await replica({ DATABASE_URL: own, PORTVAKT_TOKENX_POLL_INTERVAL: "1h" });
  await on.register(caller);
  await on.register(target, { accessPolicyInbound: [caller] });
  const refused = async (sid: string) => {
    const subject_token = await on.subjectToken({ sid });
    return String((await on.exchange(caller, { subject_token, audience: target })).body["error_description"]);
  };
  const db = await openSqlDatabase<TokenxTables>({ url: new Secret(own) });
  const idp = on.idporten.issuer;
  const revoke = (sid: string) =>
    db.query
      .insertInto("revocations")
      .values({ what: `sid:${idp.length}:${idp}:${sid}`, expires_at: on.clock.now + 600, revision: 1 })
      .execute();
  await revoke("first");
  await db.notify(revocationChannel, "changed");
  await eventually(async () => ((await refused("first")).includes("revoked") ? true : undefined));
  await db.query.deleteFrom("revocations").execute();
  await revoke("second");
  await db.query.updateTable("clients").set({ registration: null }).where("client_id", "=", target).execute();
  await db.notify(revocationChannel, "changed");
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`.execute(db.query);
  await eventually(async () => ((await refused("second")).includes("revoked") ? true : undefined));
  await eventually(async () => ((await refused("third")).includes("policy") ? true : undefined));
  await db.close();
  await on.close();
});

/** What TokenX keeps, on every database that it can be kept in: the same tests on PGlite and on PostgreSQL. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { appendFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createSigner, generatePrivateJwk } from "@portvakt/oauth";
import { createLogger, Secret } from "@portvakt/runtime/observe";
import { createKeyRing } from "@portvakt/runtime/seal";
import { openSqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { decisionStore } from "../src/registry/decision-store.ts";
import type { Registration } from "../src/registry/registration.ts";
import { createRegistry } from "../src/registry/registry.ts";
import { createRevocations } from "../src/registry/revocations.ts";
import { migrations } from "../src/registry/schema.ts";
import type { TokenxTables } from "../src/registry/schema.ts";
import { signingKeyStore } from "../src/registry/signing-key-store.ts";
import { usedHere } from "../src/registry/used-here.ts";
import { usedOnce } from "../src/registry/used-once.ts";
import { freshDatabase } from "./database.ts";

const log = createLogger({ name: "test", level: "silent" });
const ring = () => createKeyRing([new Secret(randomBytes(32).toString("base64"))]);
const registration = (clientId: string, statedAt: number, inbound: string[] = []): Registration => ({
  clientId,
  jwks: { keys: [] },
  softwareStatement: "statement",
  inbound: inbound.map((application) => ({
    application,
    namespace: "a",
    cluster: "c",
    roles: [],
    scopes: [],
  })),
  subjectClients: {},
  token: { typ: "JWT" },
  statedAt,
});

const databases: Readonly<Record<string, () => Promise<SqlDatabase<TokenxTables>>>> = {
  PGlite: () => openSqlDatabase<TokenxTables>(),
  PostgreSQL: async () => openSqlDatabase<TokenxTables>({ url: new Secret(await freshDatabase()) }),
};

for (const [name, open] of Object.entries(databases)) {
  describe(name, () => {
    let db: SqlDatabase<TokenxTables>;
    const clock = { now: 1_750_000_000 };
    const now = () => clock.now;
    before(async () => {
      db = await open();
      await db.migrate(migrations);
    });
    after(() => db.close());

    test("migrations are taken once, however often they are asked for", async () => {
      await Promise.all([db.migrate(migrations), db.migrate(migrations)]);
    });

    describe("registry", () => {
      test("what one wrote, another reads; changes, deletions and registrations anew too", async () => {
        const [writer, reader] = [createRegistry({ db, now, log }), createRegistry({ db, now, log })];
        await writer.put(registration("c:a:one", 1, ["x"]));
        await writer.put(registration("c:a:two", 1));
        await reader.refresh();
        assert.deepEqual([...reader.all()].map(({ id }) => id).sort(), ["c:a:one", "c:a:two"]);
        assert.equal(reader.get("c:a:one")?.registration.inbound[0]?.application, "x");
        await writer.put(registration("c:a:one", 2, ["y"]));
        await writer.remove("c:a:two", 2);
        await reader.refresh();
        assert.equal(reader.get("c:a:one")?.registration.inbound[0]?.application, "y");
        assert.equal(reader.get("c:a:two"), undefined);
        await writer.put(registration("c:a:two", 3));
        await reader.refresh();
        assert.equal(reader.size, 2);
      });
      test("of two statements the later stands, whichever is written last", async () => {
        const registry = createRegistry({ db, now, log });
        assert.equal(await registry.put(registration("c:a:order", 10, ["late"])), true);
        assert.equal(await registry.put(registration("c:a:order", 9, ["early"])), false);
        assert.equal(registry.get("c:a:order")?.registration.inbound[0]?.application, "late");
      });
      test("a statement from before a deletion does not undo it, wherever it comes in", async () => {
        const [one, other] = [createRegistry({ db, now, log }), createRegistry({ db, now, log })];
        await one.put(registration("c:a:gone", 10));
        await one.remove("c:a:gone", 20);
        assert.equal(await other.put(registration("c:a:gone", 19)), false);
        assert.equal(other.get("c:a:gone"), undefined);
        assert.equal(await other.put(registration("c:a:gone", 20)), true);
        await one.remove("c:a:gone", 5);
        assert.equal(
          await other.put(registration("c:a:gone", 19)),
          false,
          "an old bearer token takes nothing back",
        );
      });
      test("a deletion is noted of one that is gone, or was never here: no statement from before brings it in", async () => {
        const registry = createRegistry({ db, now, log });
        await registry.put(registration("c:a:twice", 1));
        await registry.remove("c:a:twice", 10);
        await registry.remove("c:a:twice", 60);
        assert.equal(await registry.put(registration("c:a:twice", 20)), false);
        await registry.remove("c:a:never-here", 60);
        assert.equal(await registry.put(registration("c:a:never-here", 20)), false);
        assert.equal(await registry.put(registration("c:a:never-here", 61)), true);
      });
      test("a cluster's names are suggested to nobody who asks about another's", async () => {
        const registry = createRegistry({ db, now, log });
        await registry.put(registration("east:payments:payroll", 1));
        clock.now += 60;
        assert.equal(registry.policy.similar("west:x:payroll"), undefined);
        assert.equal(registry.policy.similar("east:payments:payrol"), "east:payments:payroll");
      });
      test("fifty writers at once lose nothing", async () => {
        const writers = Array.from({ length: 5 }, () => createRegistry({ db, now, log }));
        const ids = Array.from({ length: 50 }, (_, i) => `c:many:app${i}`);
        await Promise.all(ids.map((id, i) => writers[i % 5]!.put(registration(id, 1))));
        const reader = createRegistry({ db, now, log });
        await reader.refresh();
        assert.deepEqual(
          ids.filter((id) => reader.get(id) === undefined),
          [],
        );
        for (const writer of writers) {
          await writer.refresh();
          assert.equal(writer.size, reader.size);
        }
      });
      test("tombstones are cleared in time, and nobody misses the change", async () => {
        const [writer, reader] = [createRegistry({ db, now, log }), createRegistry({ db, now, log })];
        await writer.put(registration("c:a:buried", 1));
        await reader.refresh();
        await writer.remove("c:a:buried", 1);
        await reader.refresh();
        clock.now += 8 * 86_400;
        await writer.put(registration("c:a:later", 1));
        await writer.remove("c:a:later", 1);
        const rows = await db.query
          .selectFrom("clients")
          .select("client_id")
          .where("registration", "is", null)
          .execute();
        assert.ok(!rows.some((row) => row.client_id === "c:a:buried"));
        await reader.refresh();
        assert.equal(reader.get("c:a:buried"), undefined);
        assert.equal(reader.get("c:a:later"), undefined);
      });
      test("the policy follows the registry", async () => {
        const registry = createRegistry({ db, now, log });
        await registry.put(registration("c:a:target", 1, ["friend"]));
        assert.ok(registry.policy.target("c:a:target")?.exact.has("c:a:friend"));
        await registry.put(registration("c:a:target", 2, []));
        assert.equal(registry.policy.target("c:a:target")?.exact.size, 0);
        await registry.remove("c:a:target", 2);
        assert.equal(registry.policy.target("c:a:target"), undefined);
      });
    });

    test("signing keys: kept sealed, changed by one at a time, and opened only by the ring", async () => {
      const own = ring();
      const store = signingKeyStore(db, own);
      const key = async (activeFrom: number) => {
        const jwk = await generatePrivateJwk("ES256");
        return { kid: (await createSigner(jwk)).kid, alg: "ES256" as const, jwk, activeFrom };
      };
      const add = () => store.change(async (keys) => [...keys, await key(keys.length)]);
      await Promise.all([add(), add(), add()]);
      const kept = await store.read();
      assert.deepEqual(
        kept.map(({ activeFrom }) => activeFrom).sort((a, b) => a - b),
        [0, 1, 2],
      );
      assert.ok(await (await createSigner(kept[0]!.jwk)).sign({ iss: "x" }));
      const rows = await db.query.selectFrom("signing_keys").selectAll().execute();
      for (const { sealed } of rows)
        assert.doesNotMatch(sealed + Buffer.from(sealed, "base64url").toString("latin1"), /"kty"|"d":/);
      await assert.rejects(signingKeyStore(db, ring()).read(), /PORTVAKT_TOKENX_SEAL_KEYS/);
      await store.change(async () => []);
      assert.equal((await store.read()).length, 0);
    });

    test("used once: once, until it expires", async () => {
      const used = usedOnce({ db, now, log, graceSeconds: 0 });
      const until = clock.now + 60;
      assert.deepEqual(
        (await Promise.all([1, 2, 3].map(() => used.claim("same", until, "client")))).filter(Boolean).length,
        1,
      );
      assert.equal(await used.claim("other", until, "client"), true);
      clock.now += 121;
      assert.equal(await used.claim("same", clock.now + 60, "client"), true);
      await used.sweep();
    });

    test("used once: also where replicas' clocks differ, by up to a minute", async () => {
      const ahead = usedOnce({ db, now: () => clock.now + 50, log, graceSeconds: 0 });
      const behind = usedOnce({ db, now, log, graceSeconds: 0 });
      const until = clock.now + 20;
      assert.equal(await ahead.claim("of two clocks", until, "client"), true);
      await ahead.sweep();
      assert.equal(
        await behind.claim("of two clocks", until, "client"),
        false,
        "it has expired by the other clock only",
      );
    });

    test("revocations: of a token and of a session, told to others, forgotten in time", async () => {
      const [here, there] = [createRevocations({ db, now }), createRevocations({ db, now })];
      await here.revokeToken("t1", clock.now + 60);
      await here.revokeSession("https://idp.example", "s1");
      await there.refresh();
      const idp = "https://idp.example";
      for (const one of [here, there]) {
        assert.equal(one.isRevoked({ jti: "t1" }), true);
        assert.equal(one.isRevoked({ jti: "t2", idp, sid: "s1" }), true);
        assert.equal(one.isRevoked({ jti: "t2", idp, sid: "s2" }), false);
        assert.equal(one.isRevoked({ jti: "t2", idp: "https://other.example", sid: "s1" }), false);
      }
      clock.now += 86_401;
      await there.sweep();
      await there.refresh();
      assert.equal(there.isRevoked({ jti: "t1", idp, sid: "s1" }), false);
    });

    test("revocations: none is forgotten by a read that began before it", async () => {
      const here = createRevocations({ db, now });
      for (let index = 0; index < 20; index++) {
        const reading = here.refresh();
        await here.revokeToken(`during ${index}`, clock.now + 60);
        assert.equal(here.isRevoked({ jti: `during ${index}` }), true);
        await reading;
        assert.equal(here.isRevoked({ jti: `during ${index}` }), true, "after the read");
      }
    });

    test("revocations: a read brings what is new, not what was read before", async () => {
      const [here, there] = [createRevocations({ db, now }), createRevocations({ db, now })];
      await here.revokeToken("read once", clock.now + 60);
      await there.refresh();
      await db.query
        .updateTable("revocations")
        .set({ what: "jti:under another name" })
        .where("what", "=", "jti:read once")
        .execute();
      await there.refresh();
      assert.equal(there.isRevoked({ jti: "under another name" }), false);
      await here.revokeToken("read next", clock.now + 60);
      await there.refresh();
      assert.equal(there.isRevoked({ jti: "read next" }), true);
    });

    test("revocations: none is missed that began before another, and is stored after it", async () => {
      await sql`create function be_slow() returns trigger language plpgsql as
        $$ begin if new.what = 'jti:slow' then perform pg_sleep(0.3); end if; return new; end $$`.execute(
        db.query,
      );
      await sql`create trigger slow after insert on revocations for each row execute function be_slow()`.execute(
        db.query,
      );
      const [here, there] = [createRevocations({ db, now }), createRevocations({ db, now })];
      const slow = here.revokeToken("slow", clock.now + 60);
      const quick = here.revokeToken("quick", clock.now + 60);
      await Promise.race([slow, quick]);
      await there.refresh();
      await Promise.all([slow, quick]);
      await there.refresh();
      for (const jti of ["slow", "quick"]) assert.equal(there.isRevoked({ jti }), true, jti);
      await sql`drop trigger slow on revocations`.execute(db.query);
    });

    test("revocations: a session that is ended anew is kept for longer, by the others too", async () => {
      const idp = "https://idp.example";
      const [here, there] = [createRevocations({ db, now }), createRevocations({ db, now })];
      await here.revokeSession(idp, "twice");
      await there.refresh();
      clock.now += 86_000;
      await here.revokeSession(idp, "twice");
      await there.refresh();
      clock.now += 1_000;
      for (const one of [here, there]) {
        await one.sweep();
        assert.equal(one.isRevoked({ idp, sid: "twice" }), true);
      }
    });

    test("revocations: one that is stored already is not written again", async () => {
      const here = createRevocations({ db, now });
      await here.revokeToken("again and again", clock.now + 60);
      await db.query.deleteFrom("revocations").where("what", "=", "jti:again and again").execute();
      await here.revokeToken("again and again", clock.now + 60);
      const rows = await db.query
        .selectFrom("revocations")
        .selectAll()
        .where("what", "=", "jti:again and again")
        .execute();
      assert.deepEqual(rows, []);
    });

    test("decisions: a flood of refusals does not fill the database", async () => {
      const store = decisionStore({ db, now, log, retentionSeconds: 1000 });
      const decision = {
        outcome: "deny",
        roles: [],
        scopes: [],
        reason: "no_rule",
        explanation: "",
        owner: "nobody",
        actor: "a",
        target: "b",
        grant: "g",
      } as const;
      for (let index = 0; index < 1000; index++)
        store.add({
          at: clock.now,
          outcome: "refused",
          correlation_id: "c",
          decision: { ...decision, id: `flood ${index}`, at: clock.now },
        });
      store.add({
        at: clock.now,
        outcome: "refused",
        actor: "b",
        correlation_id: "c",
        decision: { ...decision, id: "of another", at: clock.now },
      });
      assert.ok(await store.find("of another"));
      await store.flush();
      const { count } = await db.query
        .selectFrom("decisions")
        .select(({ fn }) => fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      assert.equal(Number(count), 21);
      assert.equal((await store.find("of another"))?.actor, "b");
      await db.query
        .insertInto("decisions")
        .columns(["id", "at", "record"])
        .expression(
          sql`select 'old ' || n, ${clock.now - 500} + n / 1000000.0, '{}' from generate_series(1, 100000) as n`,
        )
        .execute();
      await store.sweep();
      const left = await db.query
        .selectFrom("decisions")
        .select(({ fn }) => fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      assert.equal(Number(left.count), 100_001);
      await db.query.deleteFrom("decisions").execute();
    });

    test("decisions: refusals by their id, for as long as they are kept", async () => {
      const store = decisionStore({ db, now, log, retentionSeconds: 100 });
      const decision = {
        id: "d1",
        outcome: "deny",
        reason: "no_rule",
        actor: "a",
        target: "b",
        grant: "g",
        at: clock.now,
      } as const;
      const record = { at: clock.now, outcome: "refused", correlation_id: "c" } as const;
      const full = {
        ...decision,
        roles: [],
        scopes: [],
        explanation: "",
        owner: "the target's team",
      } as const;
      store.add({ ...record, decision: full });
      store.add({ ...record, decision: { ...full, id: "d2", outcome: "allow" } });
      assert.equal((await store.find("d1"))?.decision?.reason, "no_rule", "before it is stored");
      await store.flush();
      assert.equal((await store.find("d1"))?.decision?.reason, "no_rule");
      assert.equal(await store.find("d2"), undefined, "what was allowed leaves no row");
      clock.now += 101;
      assert.equal(await store.find("d1"), undefined);
      await store.sweep();
      assert.deepEqual(await db.query.selectFrom("decisions").select("id").execute(), []);
    });
  });
}

describe("used once, beside embedded PGlite", () => {
  const clock = { now: 1_750_000_000 };
  const now = () => clock.now;
  const opened = async (file: string) => {
    const used = usedHere({ now, file });
    await used.load();
    return used;
  };

  test("what was used is in the file when the answer is: a process that ends without a word has forgotten nothing", async (t) => {
    const file = await fileOf(t);
    const killed = await opened(file);
    assert.equal(await killed.claim("kept", clock.now + 60, "client"), true);
    assert.equal(await killed.claim("kept", clock.now + 60, "client"), false);
    await appendFile(file, "half a li");
    const again = await opened(file);
    assert.equal(await again.claim("kept", clock.now + 60, "client"), false);
    assert.equal(await again.claim("new", clock.now + 60, "client"), true);
    assert.equal(
      await (await opened(file)).claim("new", clock.now + 60, "client"),
      false,
      "after a line that was not whole",
    );
    clock.now += 121;
    assert.equal(
      await (await opened(file)).claim("kept", clock.now + 60, "client"),
      true,
      "once it has expired",
    );
  });

  test("the file grows no longer than what has not expired", async (t) => {
    const file = await fileOf(t);
    const used = await opened(file);
    for (let i = 0; i < 20_000; i++) await used.claim(`${i}`, clock.now + 60, "client");
    const { size } = await stat(file);
    assert.ok(size > 1_000_000);
    clock.now += 121;
    await used.claim("after", clock.now + 60, "client");
    await used.sweep();
    assert.ok((await stat(file)).size < 100);
    assert.equal(await used.claim("after, too", clock.now + 60, "client"), true);
    assert.equal(await (await opened(file)).claim("after, too", clock.now + 60, "client"), false);
  });

  test("a key is remembered past the moment at which it ends: who judged it looked at the clock before", async (t) => {
    const used = await opened(await fileOf(t));
    const end = clock.now + 10;
    assert.equal(await used.claim("at its end", end, "client"), true);
    clock.now = end;
    assert.equal(await used.claim("at its end", end, "client"), false);
  });

  test("what comes at once is written down at once, and answered after that", async (t) => {
    const file = await fileOf(t);
    const used = await opened(file);
    const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`);
    const claimed = keys.map((key) => used.claim(key, clock.now + 60, "client"));
    assert.equal(statSync(file).size, 0, "the turn has not ended");
    assert.deepEqual(new Set(await Promise.all(claimed)), new Set([true]));
    const again = await opened(file);
    for (const key of keys) assert.equal(await again.claim(key, clock.now + 60, "client"), false, key);
  });

  for (const atOnce of [1, 7])
    test(`what is written down by half, on a disk that has become full, is not accepted, ${atOnce} at once`, async (t) => {
      const file = await fileOf(t);
      const source = fileURLToPath(new URL("../src/registry/used-here.ts", import.meta.url));
      const program = `import { usedHere } from ${JSON.stringify(source)};
      const used = usedHere({ now: () => ${clock.now}, file: ${JSON.stringify(file)} });
      await used.load();
      const claim = (key) => used.claim(key, ${clock.now} + 60, "client").then(() => console.log(key), () => undefined);
      for (let i = 0; i < 100; i += ${atOnce})
        await Promise.all(Array.from({ length: ${atOnce} }, (_, nth) => claim("key " + (i + nth))));`;
      // a limit on the size of files ends a write in the middle, as a full disk does
      const command = `trap '' XFSZ; ulimit -f 1; exec "$0" --input-type=module -e "$1"`;
      const { stdout } = spawnSync("sh", ["-c", command, process.execPath, program], { encoding: "utf8" });
      const accepted = stdout.split("\n").filter((line) => line !== "");
      assert.ok(accepted.length > 3 && accepted.length < 100, stdout);
      const again = await opened(file);
      for (const key of accepted) assert.equal(await again.claim(key, clock.now + 60, "client"), false, key);
    });

  test("what cannot be written down is not accepted", async (t) => {
    const used = await opened(await fileOf(t));
    await used.close();
    await assert.rejects(used.claim("a", clock.now + 60, "client"), /temporarily_unavailable/);
  });
});

async function fileOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-used-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "tokenx.used");
}

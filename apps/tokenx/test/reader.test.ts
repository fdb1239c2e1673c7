/** Whoever may read everything and change nothing: the console's key. And the list of what was decided last. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { freshDatabase } from "./database.ts";
import { party, platform, signed } from "./platform.ts";
import type { Party, Platform } from "./platform.ts";

const caller = "east:a:caller";
const target = "east:a:target";
const snoop = "east:b:snoop";
let on: Platform;
let reader: Party;
const env: Record<string, string> = {};

const tokenOf = (claims: Record<string, unknown> = {}, by: Party = reader) => {
  const times = { iat: on.clock.now, exp: on.clock.now + 60 };
  return signed(by, { iss: "console", sub: "console", aud: on.issuer, ...times, ...claims });
};
const ask = async (path: string, init: RequestInit = {}, token?: string): Promise<Response> =>
  fetch(`${on.running.addresses["tokenx"]}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token ?? (await tokenOf())}` },
  });
interface Listed {
  readonly actor: string;
  readonly target: string;
  readonly outcome: string;
  readonly decision?: { readonly id: string; readonly outcome: string };
}
const decisions = async (query = ""): Promise<Listed[]> => {
  const response = await ask(`/decisions${query}`);
  assert.equal(response.status, 200);
  return ((await response.json()) as { decisions: Listed[] }).decisions;
};

before(async () => {
  reader = await party("reader");
  Object.assign(env, {
    DATABASE_URL: await freshDatabase(),
    PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64"),
    PORTVAKT_TOKENX_READER_JWKS: JSON.stringify({ keys: [reader.jwk] }),
  });
  on = await platform({ env });
  for (const [id, inbound] of [
    [caller, []],
    [target, [caller]],
    [snoop, []],
  ] as const)
    assert.equal((await on.register(id, { accessPolicyInbound: inbound })).status, 201);
  for (const by of [caller, snoop]) {
    on.clock.now += 1;
    await on.exchange(by, { subject_token: await on.subjectToken(), audience: target });
  }
});
after(() => on.close());

describe("a reader", () => {
  test("reads registrations", async () => {
    const all = (await (await ask("/registration/client")).json()) as { client_id: string }[];
    assert.deepEqual(all.map(({ client_id }) => client_id).toSorted(), [caller, target, snoop].toSorted());
    assert.equal((await ask(`/registration/client/${target}`)).status, 200);
  });

  test("registers nobody, and deletes nobody", async () => {
    const body = {
      jwks: { keys: [(await party()).jwk] },
      software_statement: await on.statement({ appId: target, accessPolicyInbound: [snoop] }),
    };
    const refused = await ask("/registration/client", { method: "POST", body: JSON.stringify(body) });
    assert.equal(refused.status, 401);
    await ask(`/registration/client/${target}`, { method: "DELETE" });
    assert.equal((await ask(`/registration/client/${target}`)).status, 200, "it is still there");
  });

  test("may not take the registrar's name to write", async () => {
    const asRegistrar = await tokenOf({ iss: "registrar", sub: "registrar" });
    assert.equal((await ask("/registration/client", {}, asRegistrar)).status, 401);
  });

  test("shows a token that ends soon, of its own key, for this server", async () => {
    const refused = [
      await tokenOf({ exp: on.clock.now + 7_200 }),
      await tokenOf({ exp: on.clock.now - 60 }),
      await tokenOf({ aud: "https://elsewhere.example" }),
      await tokenOf({}, await party("reader")),
    ];
    for (const token of refused) assert.equal((await ask("/decisions", {}, token)).status, 401);
  });
});

describe("what was decided last", () => {
  test("the newest first, allowed and refused, as each can be read by its id", async () => {
    const all = await decisions();
    assert.deepEqual(
      all.map(({ actor, decision }) => [actor, decision?.outcome]),
      [
        [snoop, "deny"],
        [caller, "allow"],
      ],
    );
    for (const { decision } of all) assert.equal((await ask(`/decisions/${decision?.id}`)).status, 200);
  });

  test("of one outcome, or of one application on either side", async () => {
    assert.deepEqual(
      (await decisions("?outcome=deny")).map(({ actor }) => actor),
      [snoop],
    );
    assert.deepEqual(
      (await decisions(`?application=${caller}`)).map(({ actor }) => actor),
      [caller],
    );
    assert.equal((await decisions(`?application=${target}`)).length, 2);
    assert.deepEqual(await decisions("?application=nobody"), []);
  });

  test("with the refusals of other replicas, also of one that has gone; each once", async () => {
    const doomed = await platform({ beside: on, env });
    on.clock.now += 1;
    await doomed.exchange(snoop, { subject_token: await on.subjectToken(), audience: caller });
    await doomed.close();
    const refused = await decisions("?outcome=deny");
    assert.deepEqual(
      refused.map(({ target: to }) => to),
      [caller, target],
    );
  });

  test("nobody reads them without a token", async () => {
    assert.equal((await fetch(`${on.running.addresses["tokenx"]}/decisions`)).status, 401);
  });
});

test("without reader keys, nobody is the reader", async () => {
  const { PORTVAKT_TOKENX_READER_JWKS: _left, ...withoutReader } = env;
  const other = await platform({ beside: on, env: withoutReader });
  const token = await tokenOf();
  const url = `${other.running.addresses["tokenx"]}/decisions`;
  assert.equal((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status, 401);
  await other.close();
});

test("of a busy second twenty that were allowed are held, and every refusal", async () => {
  const count = async () => ({
    allowed: (await decisions("?outcome=allow")).length,
    refused: (await decisions("?outcome=deny")).length,
  });
  const exchange = async (by: string): Promise<number> =>
    (await on.exchange(by, { subject_token: await on.subjectToken(), audience: target })).status;
  const before = await count();
  on.clock.now += 1;
  for (let n = 0; n < 22; n++) assert.equal(await exchange(caller), 200);
  for (let n = 0; n < 2; n++) assert.equal(await exchange(snoop), 400);
  assert.deepEqual(await count(), { allowed: before.allowed + 20, refused: before.refused + 2 });
  on.clock.now += 1;
  assert.equal(await exchange(caller), 200);
  assert.equal((await count()).allowed, before.allowed + 21);
});

/** What goes on while something that TokenX needs is away. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { cuttableWay, freshDatabase } from "./database.ts";
import type { CuttableWay } from "./database.ts";
import { eventually } from "./eventually.ts";
import { assertionType, platform, provider, signed } from "./platform.ts";
import type { Platform } from "./platform.ts";

const caller = "local:a:caller";
const target = "local:a:target";
const form = async (on: Platform) => ({ subject_token: await on.subjectToken(), audience: target });

describe("the database is away", () => {
  let way: CuttableWay;
  let on: Platform;
  before(async () => {
    way = await cuttableWay(await freshDatabase());
    on = await platform({
      env: {
        DATABASE_URL: way.url,
        PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64"),
        PORTVAKT_TOKENX_OUTAGE_GRACE: "300s",
      },
    });
    await on.register(caller);
    await on.register(target, { accessPolicyInbound: [caller] });
    assert.equal((await on.exchange(caller, await form(on))).status, 200);
  });
  test("a database that hangs holds nobody up for longer than a second or two", async () => {
    way.hang();
    const began = performance.now();
    assert.equal((await on.exchange(caller, await form(on))).status, 200);
    assert.ok(performance.now() - began < 5_000);
    way.cut();
  });
  after(async () => {
    way.mend();
    await on.close();
    await way.close();
  });

  test("known clients keep exchanging, and a replay is still noticed", async () => {
    const client_assertion = await on.assertion(caller);
    assert.equal((await on.exchange(caller, { ...(await form(on)), client_assertion })).status, 200);
    assert.equal((await on.exchange(caller, { ...(await form(on)), client_assertion })).status, 401);
  });
  test("RFC 7009 section 2.2.1: revocation says 503, and the token is of no use here all the same", async () => {
    const token = String((await on.exchange(caller, await form(on))).body["access_token"]);
    const ask = async (path: string, by: string) => {
      const client_assertion = await on.assertion(by);
      const body = new URLSearchParams({ client_assertion_type: assertionType, client_assertion, token });
      return fetch(`${on.running.addresses["tokenx"]}${path}`, { method: "POST", body });
    };
    const revoked = await ask("/revoke", caller);
    assert.equal(revoked.status, 503);
    assert.equal(((await revoked.json()) as { error: string }).error, "temporarily_unavailable");
    assert.deepEqual(await (await ask("/introspect", target)).json(), { active: false });
  });
  test("registration says 503, with nothing of the fault in it, and readiness says why", async () => {
    const response = await on.register("local:a:new");
    assert.equal(response.status, 503);
    assert.equal(((await response.json()) as { error: string }).error, "temporarily_unavailable");
    const ready = await fetch(`${on.running.addresses["tokenx"]}/internal/isready`);
    assert.equal(ready.status, 503);
    const { checks } = (await ready.json()) as { checks: Record<string, { ok: boolean }> };
    assert.equal(checks["database"]?.ok, false);
    assert.equal((await fetch(`${on.running.addresses["tokenx"]}/internal/isalive`)).status, 200);
  });
  test("after the grace time nothing is accepted: the server cannot tell whether an assertion is new", async () => {
    on.clock.now += 301;
    const answer = await on.exchange(caller, await form(on));
    assert.equal(answer.status, 503);
    assert.equal(answer.body["error"], "temporarily_unavailable");
  });
  test("when it is back, so is everything", async () => {
    way.mend();
    await eventually(async () => {
      on.clock.now += 2;
      return (await on.exchange(caller, await form(on))).status === 200 ? true : undefined;
    });
    await eventually(async () => ((await on.register("local:a:new")).status === 201 ? true : undefined));
  });
});

describe("an issuer of subject tokens is away", () => {
  test("weak point 4.4.9: TokenX starts, serves the others, and the issuer's tokens are refused until it is back", async () => {
    const other = await provider();
    await other.close();
    const idporten = await provider();
    const on = await platform({ env: { SUBJECT_TOKEN_ISSUERS: `${other.wellKnown},${idporten.wellKnown}` } });
    await on.register(caller, { portvakt_subject_clients: { [idporten.issuer]: ["portal-at-idporten"] } });
    await on.register(target, { accessPolicyInbound: [caller] });
    const mine = await on.subjectToken({ iss: idporten.issuer });
    assert.equal(
      (await on.exchange(caller, { subject_token: mine, audience: target })).status,
      400,
      "signed by another",
    );
    const { checks, ready } = await on.running.ready();
    assert.equal(ready, true);
    assert.equal(checks[other.wellKnown]?.ok, false);
    assert.equal(checks[idporten.wellKnown]?.ok, true);
    await on.close();
    await idporten.close();
  });
});

test("of two well-known URLs of one issuer the first counts, with its rules, and the log says so", async () => {
  const idporten = await provider();
  const other = `${idporten.issuer}/.well-known/oauth-authorization-server`;
  const rules = { [idporten.wellKnown]: { audiences: ["everybody"] } };
  const PORTVAKT_TOKENX_SUBJECT_RULES = JSON.stringify(rules);
  for (const [first, second, status] of [
    [idporten.wellKnown, other, 200],
    [other, idporten.wellKnown, 400],
  ] as const) {
    const env = { SUBJECT_TOKEN_ISSUERS: `${first},${second}`, PORTVAKT_TOKENX_SUBJECT_RULES };
    const on = await platform({ env });
    await on.register(caller);
    await on.register(target, { accessPolicyInbound: [caller] });
    const times = { iat: on.clock.now, exp: on.clock.now + 60 };
    const claims = { iss: idporten.issuer, sub: "s", aud: "everybody", ...times };
    const subject_token = await signed(idporten, claims);
    assert.equal((await on.exchange(caller, { subject_token, audience: target })).status, status);
    assert.ok(on.logged.some((line) => line.includes("two well-known URLs name one issuer")));
    await on.close();
  }
  await idporten.close();
});

test("an issuer that comes up after TokenX is known as soon as one of its tokens comes", async () => {
  const early = await provider();
  await early.close();
  const on = await platform({ env: { SUBJECT_TOKEN_ISSUERS: early.wellKnown } });
  await on.register(caller, { portvakt_subject_clients: { [early.issuer]: ["c"] } });
  await on.register(target, { accessPolicyInbound: [caller] });
  const late = await provider(Number(new URL(early.issuer).port));
  const claims = { iss: late.issuer, client_id: "c", aud: "x", iat: on.clock.now, exp: on.clock.now + 600 };
  const subject_token = await signed(late, claims);
  assert.equal(
    (await on.exchange(caller, { subject_token, audience: target })).status,
    400,
    "asked a moment ago",
  );
  on.clock.now += 2;
  assert.equal((await on.exchange(caller, { subject_token, audience: target })).status, 200);
  await on.close();
  await late.close();
});

describe("too many requests", () => {
  test("RFC 6585 section 4: a client that floods is held back with 429 and Retry-After; another is served", async () => {
    const on = await platform({
      env: { PORTVAKT_TOKENX_RATE_PER_SECOND: "1", PORTVAKT_TOKENX_RATE_BURST: "3" },
    });
    await on.register(caller);
    await on.register("local:a:calm");
    await on.register(target, { accessPolicyInbound: [caller, "local:a:calm"] });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await on.exchange(caller, await form(on))).status);
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    const held = await on.exchange(caller, await form(on));
    assert.equal(held.headers.get("retry-after"), "1");
    assert.equal((await on.exchange("local:a:calm", await form(on))).status, 200);
    on.clock.now += 1;
    assert.equal((await on.exchange(caller, await form(on))).status, 200);
    await on.close();
  });

  test("nobody empties another's bucket by naming it: only what was authenticated is counted", async () => {
    const on = await platform({
      env: { PORTVAKT_TOKENX_RATE_PER_SECOND: "1", PORTVAKT_TOKENX_RATE_BURST: "1" },
    });
    await on.register(caller);
    await on.register(target, { accessPolicyInbound: [caller] });
    const forged = { ...(await on.assertion(caller).then((jwt) => ({ client_assertion: `${jwt}x` }))) };
    for (let i = 0; i < 5; i++)
      assert.equal((await on.exchange(caller, { ...(await form(on)), ...forged })).status, 401);
    assert.equal((await on.exchange(caller, await form(on))).status, 200);
    await on.close();
  });

  test("a client that brings two hundred at once does not make another wait for all of them", async (t) => {
    const on = await platform();
    t.after(() => on.close());
    const calm = "local:a:calm";
    for (const id of [caller, calm]) await on.register(id);
    await on.register(target, { accessPolicyInbound: [caller, calm] });
    const before: number[] = [];
    // Which comes first is also a matter of who is read first from a socket: of three rounds the best.
    for (let round = 0; round < 3; round++) {
      const forms = await Promise.all(
        Array.from({ length: 200 }, async () => ({
          ...(await form(on)),
          client_assertion: await on.assertion(caller),
        })),
      );
      const calmForm = { ...(await form(on)), client_assertion: await on.assertion(calm) };
      let answered = 0;
      const flood = forms.map((one) => on.exchange(caller, one).then(() => answered++));
      assert.equal((await on.exchange(calm, calmForm)).status, 200);
      before.push(answered);
      await Promise.all(flood);
    }
    assert.ok(Math.min(...before) < 100, `answered before: ${before.join(", ")} of 200`);
  });
});

describe("PORTVAKT_TOKENX_SUBJECT_AUDIENCE=observe", () => {
  test("a token that is not tied to the caller is served, and counted", async () => {
    const on = await platform({ env: { PORTVAKT_TOKENX_SUBJECT_AUDIENCE: "observe" } });
    await on.register(caller);
    await on.register(target, { accessPolicyInbound: [caller] });
    const subject_token = await on.subjectToken({ aud: "unspecified", client_id: "somebody-else" });
    assert.equal((await on.exchange(caller, { subject_token, audience: target })).status, 200);
    assert.match(await on.metrics(), /portvakt_tokenx_untied_subject_tokens_total\{issuer="http[^"]*"\} 1/);
    await on.close();
  });
});

/** Tokens bound to a key, actor tokens, and workloads that have no key of their own. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { calculateJwkThumbprint, decodeJwt } from "jose";
import { assertionType, exchangeGrant, jwtType, party, platform, provider, signed } from "./platform.ts";
import type { Party, Platform, Provider } from "./platform.ts";

const portal = "local:b:portal";
const api = "local:b:api";
const workload = "east:team:job";
let on: Platform;
let cluster: Provider;
let holder: Party;

before(async () => {
  cluster = await provider();
  holder = await party();
  on = await platform({
    env: {
      PORTVAKT_TOKENX_WORKLOAD_ISSUERS: JSON.stringify([
        { wellKnownUrl: cluster.wellKnown, cluster: "east" },
      ]),
    },
  });
  for (const id of [portal, workload]) await on.register(id);
  await on.register(api, { accessPolicyInbound: [portal, workload] });
});
after(async () => {
  await on.close();
  await cluster.close();
});

const post = async (form: Record<string, string>, headers: Record<string, string> = {}) => {
  const body = new URLSearchParams(form);
  const response = await fetch(`${on.running.addresses["tokenx"]}/token`, { method: "POST", body, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const form = async (more: Record<string, string> = {}) => ({
  grant_type: exchangeGrant,
  client_assertion_type: assertionType,
  client_assertion: more["client_assertion"] ?? (await on.assertion(portal)),
  subject_token_type: jwtType,
  subject_token: await on.subjectToken(),
  audience: api,
  ...more,
});
const proof = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) => {
  const { kid: _kid, ...jwk } = holder.jwk;
  const own = { htm: "POST", htu: `${on.issuer}/token`, iat: on.clock.now, jti: randomUUID() };
  return signed(holder, { ...own, ...claims }, { typ: "dpop+jwt", jwk, ...header });
};

describe("DPoP (RFC 9449)", () => {
  test("section 5: with a proof the token is bound to its key, and says so", async () => {
    const { status, body } = await post(await form(), { dpop: await proof() });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body["token_type"], "DPoP");
    assert.deepEqual(decodeJwt(String(body["access_token"]))["cnf"], {
      jkt: await calculateJwkThumbprint(holder.jwk),
    });
  });
  test("section 5: without one it is a bearer token", async () => {
    const { body } = await post(await form());
    assert.equal(body["token_type"], "Bearer");
    assert.equal("cnf" in decodeJwt(String(body["access_token"])), false);
  });
  const refused: readonly { name: string; proof: () => Promise<string> }[] = [
    { name: "for another method", proof: () => proof({ htm: "GET" }) },
    { name: "for another address", proof: () => proof({ htu: "https://else.example/token" }) },
    { name: "made over a minute ago", proof: () => proof({ iat: on.clock.now - 61 }) },
    { name: "made in the future", proof: () => proof({ iat: on.clock.now + 61 }) },
    { name: "without jti", proof: () => proof({ jti: undefined }) },
    { name: "of another type", proof: () => proof({}, { typ: "JWT" }) },
    { name: "without its key", proof: () => proof({}, { jwk: undefined }) },
    { name: "with a private key", proof: () => proof({}, { jwk: { ...holder.jwk, d: "secret" } }) },
    {
      name: "signed by another key than it brings",
      proof: async () => proof({}, { jwk: (await party()).jwk }),
    },
    { name: "that is no JWT", proof: async () => "nonsense" },
    { name: "twice", proof: async () => `${await proof()}, ${await proof()}` },
  ];
  for (const row of refused)
    test(`section 4.3: a proof ${row.name} is refused`, async () => {
      const { status, body } = await post(await form(), { dpop: await row.proof() });
      assert.equal(status, 400);
      assert.equal(body["error"], "invalid_dpop_proof");
    });
  test("section 11.1: a proof is accepted once", async () => {
    const once = await proof();
    assert.equal((await post(await form(), { dpop: once })).status, 200);
    assert.equal((await post(await form(), { dpop: once })).body["error"], "invalid_dpop_proof");
  });
});

describe("actor_token (RFC 8693 section 2.1)", () => {
  const actor_token_type = jwtType;
  test("signed by the authenticated client about itself: taken, and the actor is that client", async () => {
    const { status, body } = await post(
      await form({ actor_token: await on.assertion(portal), actor_token_type }),
    );
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(decodeJwt(String(body["access_token"]))["act"], { sub: portal });
  });
  const refused: readonly { name: string; token: () => Promise<string> }[] = [
    { name: "of another client", token: () => on.assertion(workload) },
    {
      name: "that names another client, signed by this one",
      token: () =>
        signed(on.apps.get(portal)!, {
          iss: workload,
          sub: workload,
          aud: on.issuer,
          jti: "x",
          iat: on.clock.now,
          exp: on.clock.now + 60,
        }),
    },
    { name: "that is a user's token", token: () => on.subjectToken() },
    { name: "for another server", token: () => on.assertion(portal, { aud: "https://else.example" }) },
  ];
  for (const { name, token } of refused)
    test(`delegation chain splicing: one ${name} is refused`, async () => {
      const { body } = await post(await form({ actor_token: await token(), actor_token_type }));
      assert.equal(body["error"], "invalid_request");
    });
  test("RFC 8693 section 4.4: dropping the actor_token does not get around may_act", async () => {
    const subject_token = await on.subjectToken({ may_act: { sub: workload } });
    const withActor = { subject_token, actor_token: await on.assertion(portal), actor_token_type };
    for (const one of [{ subject_token }, withActor])
      assert.equal((await post(await form(one))).body["error"], "invalid_request");
    const named = await on.subjectToken({ may_act: { sub: portal } });
    assert.equal((await post(await form({ subject_token: named }))).status, 200);
  });
});

describe("a workload token of the platform's cluster as client assertion", () => {
  const account = "system:serviceaccount:team:job";
  const token = (claims: Record<string, unknown> = {}) =>
    signed(cluster, {
      iss: cluster.issuer,
      sub: account,
      aud: [on.issuer],
      iat: on.clock.now,
      exp: on.clock.now + 3_600,
      ...claims,
    });
  test("is mapped to the application by its issuer and subject, and may be used again", async () => {
    const client_assertion = await token();
    for (let i = 0; i < 2; i++) {
      const { status, body } = await post(await form({ client_assertion }));
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(decodeJwt(String(body["access_token"]))["client_id"], workload);
    }
  });
  const refused: readonly { name: string; token: () => Promise<string> }[] = [
    { name: "for another audience", token: () => token({ aud: ["https://kubernetes.default.svc"] }) },
    { name: "that has expired", token: () => token({ iat: on.clock.now - 3_600, exp: on.clock.now - 11 }) },
    {
      name: "of an application that is not registered",
      token: () => token({ sub: "system:serviceaccount:team:other" }),
    },
    { name: "of what is no workload", token: () => token({ sub: "system:node:a" }) },
    {
      name: "of an application of another cluster's name",
      token: () => token({ sub: "system:serviceaccount:b:portal" }),
    },
    {
      name: "signed by another",
      token: async () =>
        signed(
          { ...(await party()), jwk: cluster.jwk },
          { iss: cluster.issuer, sub: account, aud: on.issuer, iat: on.clock.now, exp: on.clock.now + 60 },
        ),
    },
  ];
  for (const row of refused)
    test(`one ${row.name} is refused`, async () => {
      const { status, body } = await post(await form({ client_assertion: await row.token() }));
      assert.deepEqual([status, body["error"]], [401, "invalid_client"]);
    });
  test("client_id must agree with it", async () => {
    assert.equal(
      (await post(await form({ client_assertion: await token(), client_id: portal }))).status,
      401,
    );
  });
});

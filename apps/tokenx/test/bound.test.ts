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
  test("RFC 9449 section 5: with a proof the token is bound to its key, and says so", async () => {
    const { status, body } = await post(await form(), { dpop: await proof() });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body["token_type"], "DPoP");
    assert.deepEqual(decodeJwt(String(body["access_token"]))["cnf"], {
      jkt: await calculateJwkThumbprint(holder.jwk),
    });
  });
  test("RFC 9449 section 5: without one it is a bearer token", async () => {
    const { body } = await post(await form());
    assert.equal(body["token_type"], "Bearer");
    assert.equal("cnf" in decodeJwt(String(body["access_token"])), false);
  });
  const refused: readonly { name: string; proof: () => Promise<string> }[] = [
    {
      name: "RFC 9449 section 4.3: a proof for another method is refused",
      proof: () => proof({ htm: "GET" }),
    },
    {
      name: "RFC 9449 section 4.3: a proof for another address is refused",
      proof: () => proof({ htu: "https://else.example/token" }),
    },
    {
      name: "RFC 9449 section 4.3: a proof made over a minute ago is refused",
      proof: () => proof({ iat: on.clock.now - 61 }),
    },
    {
      name: "RFC 9449 section 4.3: a proof made in the future is refused",
      proof: () => proof({ iat: on.clock.now + 61 }),
    },
    { name: "RFC 9449 section 4.3: a proof without jti is refused", proof: () => proof({ jti: undefined }) },
    {
      name: "RFC 9449 section 4.3: a proof of another type is refused",
      proof: () => proof({}, { typ: "JWT" }),
    },
    {
      name: "RFC 9449 section 4.3: a proof without its key is refused",
      proof: () => proof({}, { jwk: undefined }),
    },
    {
      name: "RFC 9449 section 4.3: a proof with a private key is refused",
      proof: () => proof({}, { jwk: { ...holder.jwk, d: "secret" } }),
    },
    {
      name: "RFC 9449 section 4.3: a proof signed by another key than it brings is refused",
      proof: async () => proof({}, { jwk: (await party()).jwk }),
    },
    {
      name: "RFC 9449 section 4.3: a proof whose alg is none is refused",
      proof: async () => {
        const [, claims] = (await proof()).split(".");
        const header = { typ: "dpop+jwt", alg: "none", jwk: holder.jwk };
        return `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${claims}.`;
      },
    },
    { name: "RFC 9449 section 4.3: a proof that is no JWT is refused", proof: async () => "nonsense" },
    {
      name: "RFC 9449 section 4.3: a second proof beside the first is refused",
      proof: async () => `${await proof()}, ${await proof()}`,
    },
  ];
  for (const row of refused)
    test(row.name, async () => {
      const { status, body } = await post(await form(), { dpop: await row.proof() });
      assert.equal(status, 400);
      assert.equal(body["error"], "invalid_dpop_proof");
    });
  test("RFC 9449 section 5: a target that takes bound tokens only gets no others", async () => {
    const strict = "local:b:strict";
    const portvakt_token = { typ: "at+jwt", dpop: "required" };
    assert.equal((await on.register(strict, { accessPolicyInbound: [portal], portvakt_token })).status, 201);
    const unbound = await post(await form({ audience: strict }));
    assert.deepEqual([unbound.status, unbound.body["error"]], [400, "invalid_request"]);
    const bound = await post(await form({ audience: strict }), { dpop: await proof() });
    assert.equal(bound.body["token_type"], "DPoP", JSON.stringify(bound.body));
    const denied = await post(
      await form({ audience: strict, client_assertion: await on.assertion(workload) }),
    );
    assert.equal(denied.body["error"], "invalid_target", "who is not admitted is not told");
  });
  type Flag = { dpop_bound_access_tokens?: boolean };
  const registered: readonly { name: string; statement: Flag; body: Flag; isBound: boolean }[] = [
    {
      name: "RFC 9449 section 5.2: dpop_bound_access_tokens in the metadata, and the client gets bound tokens only",
      statement: {},
      body: { dpop_bound_access_tokens: true },
      isBound: true,
    },
    {
      name: "RFC 9449 section 5.2: dpop_bound_access_tokens in the software statement, and the same",
      statement: { dpop_bound_access_tokens: true },
      body: {},
      isBound: true,
    },
    {
      name: "RFC 7591 section 2.3: of the metadata and the software statement, what the statement says counts",
      statement: { dpop_bound_access_tokens: false },
      body: { dpop_bound_access_tokens: true },
      isBound: false,
    },
  ];
  for (const { name, statement, body, isBound } of registered)
    test(name, async () => {
      const bound = "local:b:bound";
      const answer = await on.register(bound, statement, body);
      assert.equal(answer.status, 201);
      const told = (await answer.json()) as Record<string, unknown>;
      assert.equal(told["dpop_bound_access_tokens"], isBound ? true : undefined);
      assert.equal((await on.register("local:b:open", { accessPolicyInbound: [bound] })).status, 201);
      const request = async () =>
        form({ audience: "local:b:open", client_assertion: await on.assertion(bound) });
      const without = await post(await request());
      assert.deepEqual(
        [without.status, without.body["error"]],
        isBound ? [400, "invalid_request"] : [200, undefined],
      );
      assert.equal((await post(await request(), { dpop: await proof() })).body["token_type"], "DPoP");
    });
  test("RFC 9449 section 11.1: a proof is accepted once", async () => {
    const once = await proof();
    assert.equal((await post(await form(), { dpop: once })).status, 200);
    assert.equal((await post(await form(), { dpop: once })).body["error"], "invalid_dpop_proof");
  });
});

describe("actor_token (RFC 8693 section 2.1)", () => {
  const actor_token_type = jwtType;
  test("RFC 8693 section 2.1: an actor_token signed by the authenticated client about itself: taken, and the actor is that client", async () => {
    const { status, body } = await post(
      await form({ actor_token: await on.assertion(portal), actor_token_type }),
    );
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(decodeJwt(String(body["access_token"]))["act"], { sub: portal });
  });
  test("RFC 8693 section 2.1: the assertion that the client authenticates by may be its actor_token", async () => {
    const assertion = await on.assertion(portal);
    const asked = await form({ client_assertion: assertion, actor_token: assertion, actor_token_type });
    assert.equal((await post(asked)).status, 200);
    assert.equal((await post(asked)).body["error"], "invalid_client");
  });
  test("RFC 7523 section 3: what was an actor_token authenticates nobody afterwards, nor the other way round", async () => {
    const [first, second] = [await on.assertion(portal), await on.assertion(portal)];
    const once = await form({ client_assertion: first, actor_token: second, actor_token_type });
    assert.equal((await post(once)).status, 200);
    assert.equal((await post(await form({ client_assertion: second }))).body["error"], "invalid_client");
    const again = await post(await form({ actor_token: first, actor_token_type }));
    assert.equal(again.body["error"], "invalid_request");
  });
  const refused: readonly { name: string; token: () => Promise<string> }[] = [
    {
      name: "RFC 8693 section 2.1: delegation chain splicing, an actor_token of another client is refused",
      token: () => on.assertion(workload),
    },
    {
      name: "RFC 8693 section 2.1: delegation chain splicing, an actor_token that names another client, signed by this one is refused",
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
    {
      name: "RFC 8693 section 2.1: delegation chain splicing, an actor_token that is a user's token is refused",
      token: () => on.subjectToken(),
    },
    {
      name: "RFC 8693 section 2.1: delegation chain splicing, an actor_token for another server is refused",
      token: () => on.assertion(portal, { aud: "https://else.example" }),
    },
  ];
  for (const { name, token } of refused)
    test(name, async () => {
      const { body } = await post(await form({ actor_token: await token(), actor_token_type }));
      assert.equal(body["error"], "invalid_request");
    });
  test("RFC 8693 section 4.4: dropped actor_token, leaving it out does not get around may_act", async () => {
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
  test("RFC 7523 section 2.2: a workload token is mapped to the application by its issuer and subject, and may be used again", async () => {
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

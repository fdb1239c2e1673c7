/** What can be asked about a token after it was issued, and how it can be ended. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import { assertionType, party, platform, provider, signed } from "./platform.ts";
import type { Platform } from "./platform.ts";

const portal = "local:b:portal";
const api = "local:b:api";
const register = "local:b:register";
const snoop = "local:b:snoop";
let on: Platform;
let token: string;

const ask = async (path: string, by: string, form: Record<string, string>) => {
  const body = new URLSearchParams({
    client_assertion_type: assertionType,
    client_assertion: await on.assertion(by),
    ...form,
  });
  const response = await fetch(`${on.running.addresses["tokenx"]}${path}`, { method: "POST", body });
  const text = await response.text();
  assert.equal(response.headers.get("cache-control"), "no-store");
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
};
const exchanged = async (by = portal, audience = api, subject?: string) => {
  const { status, body } = await on.exchange(by, {
    subject_token: subject ?? (await on.subjectToken({ sid: "s1" })),
    audience,
  });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body["access_token"]);
};

before(async () => {
  const idporten = await provider();
  on = await platform({
    beside: {
      issuer: "https://tokenx.example",
      clock: { now: 1_750_000_000 },
      registrar: await party("registrar", "RS256"),
      idporten,
      apps: new Map(),
    },
    env: {
      PORTVAKT_TOKENX_SUBJECT_RULES: JSON.stringify({
        [idporten.wellKnown]: {
          audiences: ["https://platform.example"],
          logoutAudience: "tokenx",
          // A list of its own without sid: sessions are known all the same.
          claims: ["sub", "pid", "acr", "scope"],
        },
      }),
    },
  });
  await on.register(portal);
  await on.register(snoop);
  await on.register(api, { accessPolicyInbound: [portal] });
  await on.register(register, { accessPolicyInbound: [api] });
  token = await exchanged();
});
after(async () => {
  await on.close();
  await on.idporten.close();
});

describe("introspection (RFC 7662)", () => {
  test("RFC 7662 section 2.2: the claims are those of the token, act among them, for the target and for the client it was issued to", async () => {
    for (const by of [api, portal]) {
      const { status, body } = await ask("/introspect", by, { token });
      assert.equal(status, 200);
      assert.equal(body["active"], true);
      for (const [name, value] of Object.entries(decodeJwt(token))) assert.deepEqual(body[name], value, name);
    }
    const chained = await exchanged(api, register, token);
    const { body } = await ask("/introspect", register, { token: chained });
    assert.deepEqual(body["act"], { sub: api, act: { sub: portal } });
  });
  test("RFC 7662 section 4: to an application that the token does not concern it is not active, and nothing else is said", async () => {
    assert.deepEqual((await ask("/introspect", snoop, { token })).body, { active: false });
  });
  const inactive: readonly { name: string; token: () => Promise<string> }[] = [
    { name: "RFC 7662 section 2.2: a token of another issuer is not active", token: () => on.subjectToken() },
    { name: "RFC 7662 section 2.2: what is no token is not active", token: async () => "nonsense" },
    {
      name: "RFC 7662 section 2.2: a token with a changed payload is not active",
      token: async () =>
        `${token.split(".")[0]}.${btoa('{"iss":"https://tokenx.example"}')}.${token.split(".")[2]}`,
    },
  ];
  for (const { name, token } of inactive)
    test(name, async () => {
      assert.deepEqual((await ask("/introspect", api, { token: await token() })).body, { active: false });
    });
  test("RFC 7662 section 2.1: nobody is answered without authenticating", async () => {
    const response = await fetch(`${on.running.addresses["tokenx"]}/introspect`, {
      method: "POST",
      body: new URLSearchParams({ token }),
    });
    assert.equal(response.status, 401);
    assert.equal(
      (
        await ask("/introspect", snoop, {
          token,
          client_assertion: await signed(on.apps.get(api)!, { iss: snoop, sub: snoop }),
        })
      ).status,
      401,
    );
  });
  test("RFC 7662 section 2.1: no token is invalid_request", async () => {
    assert.equal((await ask("/introspect", api, {})).body["error"], "invalid_request");
  });
  test("an expired token is not active", async () => {
    const short = await exchanged(portal, api, await on.subjectToken({ exp: on.clock.now + 5 }));
    on.clock.now += 6;
    assert.deepEqual((await ask("/introspect", api, { token: short })).body, { active: false });
  });
});

describe("revocation (RFC 7009)", () => {
  test("RFC 7009 section 2.1: a revoked token is inactive, and exchanged no more", async () => {
    const mine = await exchanged();
    assert.equal((await ask("/revoke", portal, { token: mine })).status, 200);
    assert.deepEqual((await ask("/introspect", api, { token: mine })).body, { active: false });
    const again = await on.exchange(api, { subject_token: mine, audience: register });
    assert.equal(again.body["error"], "invalid_request");
    assert.equal(
      (await ask("/introspect", api, { token: await exchanged() })).body["active"],
      true,
      "others are not touched",
    );
  });
  test("RFC 7009 section 2.1: only the client that a token was issued to may revoke it", async () => {
    const mine = await exchanged();
    for (const by of [api, snoop])
      assert.equal((await ask("/revoke", by, { token: mine })).body["error"], "unauthorized_client");
    assert.equal((await ask("/introspect", api, { token: mine })).body["active"], true);
  });
  test("RFC 7009 section 2.2: what is no token is answered as if it were", async () => {
    assert.equal((await ask("/revoke", portal, { token: "nonsense" })).status, 200);
  });
});

describe("back-channel logout (OpenID Connect Back-Channel Logout 1.0)", () => {
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const logout = async (claims: Record<string, unknown> = {}) => {
    const times = { iat: on.clock.now, exp: on.clock.now + 60, jti: "l" };
    const logout_token = await signed(
      on.idporten,
      { iss: on.idporten.issuer, aud: "tokenx", events, ...times, ...claims },
      { typ: "logout+jwt" },
    );
    const body = new URLSearchParams({ logout_token });
    return fetch(`${on.running.addresses["tokenx"]}/backchannel-logout`, { method: "POST", body });
  };
  test("OpenID Connect Back-Channel Logout section 2.5: everything that came of the session ends, and nothing of another", async () => {
    const subject = await on.subjectToken({ sid: "ending" });
    const first = await exchanged(portal, api, subject);
    const second = await exchanged(api, register, first);
    const other = await exchanged(portal, api, await on.subjectToken({ sid: "staying" }));
    assert.equal((await logout({ sid: "ending" })).status, 200);
    assert.equal(
      (await on.exchange(portal, { subject_token: subject, audience: api })).body["error"],
      "invalid_request",
    );
    assert.equal(
      (await on.exchange(api, { subject_token: first, audience: register })).body["error"],
      "invalid_request",
    );
    assert.deepEqual((await ask("/introspect", register, { token: second })).body, { active: false });
    assert.equal((await ask("/introspect", api, { token: other })).body["active"], true);
  });
  const refused: readonly { name: string; claims: Record<string, unknown> }[] = [
    {
      name: "OpenID Connect Back-Channel Logout section 2.6: a logout token for another audience is refused",
      claims: { aud: "else", sid: "x" },
    },
    {
      name: "OpenID Connect Back-Channel Logout section 2.6: a logout token that names no session is refused",
      claims: { sub: "pairwise" },
    },
    {
      name: "OpenID Connect Back-Channel Logout section 2.6: a logout token with a nonce is refused",
      claims: { sid: "x", nonce: "n" },
    },
    {
      name: "OpenID Connect Back-Channel Logout section 2.6: a logout token without the event is refused",
      claims: { sid: "x", events: {} },
    },
    {
      name: "OpenID Connect Back-Channel Logout section 2.6: a logout token of an issuer that is not listened to is refused",
      claims: { iss: "https://tokenx.example", sid: "x" },
    },
  ];
  for (const { name, claims } of refused)
    test(name, async () => {
      assert.equal((await logout(claims)).status, 400);
    });
});

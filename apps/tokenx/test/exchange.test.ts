import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { platform, signed } from "./platform.ts";
import type { Platform } from "./platform.ts";

const portal = "local:benefits:portal";
const api = "local:benefits:application-api";
const register = "local:benefits:income-register";
const snoop = "local:other:snoop";

let on: Platform;
before(async () => {
  on = await platform({ embedded: true });
  assert.equal((await on.register(portal)).status, 201);
  await on.register(api, { accessPolicyInbound: [portal] });
  await on.register(register, { accessPolicyInbound: [api] });
  await on.register(snoop);
});
after(() => on.close());

const tokenOf = ({ body }: { body: Record<string, unknown> }): string => {
  assert.equal(typeof body["access_token"], "string", JSON.stringify(body));
  return body["access_token"] as string;
};

test("journey 2.1: a citizen's token is exchanged twice, and keeps the citizen", async () => {
  const first = await on.exchange(portal, { subject_token: await on.subjectToken(), audience: api });
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.equal(first.body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
  assert.equal(first.body["token_type"], "Bearer");
  assert.equal(first.headers.get("cache-control"), "no-store");
  const second = await on.exchange(api, { subject_token: tokenOf(first), audience: register });
  const keys = createRemoteJWKSet(new URL(`${on.running.addresses["tokenx"]}/jwks`));
  const { payload, protectedHeader } = await jwtVerify(tokenOf(second), keys, {
    issuer: on.issuer,
    audience: register,
    algorithms: ["RS256"],
    currentDate: new Date(on.clock.now * 1000),
  });
  assert.equal(protectedHeader.typ, "JWT");
  assert.equal(payload["pid"], "12345678901");
  assert.equal(payload["acr"], "idporten-loa-high");
  assert.equal(payload.sub, "pairwise");
  assert.equal(payload["client_id"], api);
  assert.equal(payload["idp"], on.idporten.issuer);
  assert.deepEqual(payload["act"], { sub: api, act: { sub: portal } });
});

test("RFC 8414 section 2: the metadata names what there is, and no authorization endpoint", async () => {
  const response = await fetch(`${on.running.addresses["tokenx"]}/.well-known/oauth-authorization-server`);
  const metadata = (await response.json()) as Record<string, unknown>;
  assert.equal(metadata["issuer"], on.issuer);
  assert.equal(metadata["token_endpoint"], `${on.issuer}/token`);
  assert.equal(metadata["jwks_uri"], `${on.issuer}/jwks`);
  assert.deepEqual(metadata["grant_types_supported"], ["urn:ietf:params:oauth:grant-type:token-exchange"]);
  assert.equal("authorization_endpoint" in metadata, false, "weak point 4.4.5");
});

describe("issued tokens", () => {
  test("weak point 4.4.11: only allow-listed claims are taken over", async () => {
    const subject = await on.subjectToken({
      nonce: "n",
      at_hash: "h",
      cnf: { jkt: "x" },
      act: { sub: "evil" },
      roles: ["admin"],
      brand_new: 1,
    });
    const claims = decodeJwt(tokenOf(await on.exchange(portal, { subject_token: subject, audience: api })));
    for (const name of ["nonce", "at_hash", "cnf", "roles", "brand_new"])
      assert.equal(name in claims, false, name);
    assert.deepEqual(claims["act"], { sub: portal });
  });

  test("weak point 4.4.1: the life of a chain is bounded by its first token, however often it is exchanged", async () => {
    const end = on.clock.now + 100;
    const first = await on.exchange(portal, {
      subject_token: await on.subjectToken({ exp: end }),
      audience: api,
    });
    assert.equal(first.body["expires_in"], 100);
    const second = await on.exchange(api, { subject_token: tokenOf(first), audience: register });
    assert.equal(decodeJwt(tokenOf(second)).exp, end);
  });

  test("a token lives at most 900 s", async () => {
    const subject = await on.subjectToken({ exp: on.clock.now + 7_200 });
    assert.equal(
      (await on.exchange(portal, { subject_token: subject, audience: api })).body["expires_in"],
      900,
    );
  });

  test("weak point 4.4.7: the key set names alg, and an algorithm or typ of the target's choosing is used", async () => {
    const jwks = (await (await fetch(`${on.running.addresses["tokenx"]}/jwks`)).json()) as {
      keys: Record<string, unknown>[];
    };
    assert.ok(jwks.keys.length >= 2);
    for (const key of jwks.keys) assert.ok(key["alg"] && key["kid"] && !("d" in key));
    await on.register("local:benefits:modern", {
      accessPolicyInbound: [portal],
      portvakt_token: { typ: "at+jwt" },
    });
    const token = tokenOf(
      await on.exchange(portal, {
        subject_token: await on.subjectToken(),
        audience: "local:benefits:modern",
      }),
    );
    assert.equal(decodeProtectedHeader(token).typ, "at+jwt");
  });

  test("a target's own signing algorithm, where the server has it", async () => {
    const both = await platform({ env: { PORTVAKT_TOKENX_SIGNING_ALGORITHMS: "RS256,PS256,ES256,EdDSA" } });
    await both.register(portal);
    for (const alg of [undefined, "PS256", "ES256", "EdDSA"]) {
      await both.register("local:benefits:chooser", {
        accessPolicyInbound: [portal],
        portvakt_token: { typ: "JWT", ...(alg && { alg }) },
      });
      const subject_token = await both.subjectToken();
      const answer = await both.exchange(portal, { subject_token, audience: "local:benefits:chooser" });
      const keys = createRemoteJWKSet(new URL(`${both.issuer}/jwks`));
      const { protectedHeader } = await jwtVerify(tokenOf(answer), keys, {
        currentDate: new Date(both.clock.now * 1000),
      });
      assert.equal(protectedHeader.alg, alg ?? "RS256");
    }
    await both.close();
  });

  test("RFC 8693 section 2.2.1: scope is all of the subject's, or the part that was asked for", async () => {
    const subject_token = await on.subjectToken({ scope: "a b" });
    assert.equal(
      decodeJwt(tokenOf(await on.exchange(portal, { subject_token, audience: api })))["scope"],
      "a b",
    );
    const unasked = await on.exchange(portal, { subject_token, audience: api });
    assert.equal(unasked.body["scope"], "a b", "RFC 6749 section 5.1: what was issued is told");
    const narrowed = await on.exchange(portal, { subject_token, audience: api, scope: "b" });
    assert.equal(narrowed.body["scope"], "b");
    assert.equal(decodeJwt(tokenOf(narrowed))["scope"], "b");
  });
});

interface Attempt {
  readonly name: string;
  readonly by?: string;
  readonly form: () => Promise<Record<string, string>>;
  readonly status?: number;
  readonly error: string;
}

describe("refused", () => {
  const good = async () => ({ subject_token: await on.subjectToken(), audience: api });
  const rows: readonly Attempt[] = [
    {
      name: "RFC 8693 section 2.2.2, weak point 4.4.4: a target that does not admit the caller is invalid_target",
      by: snoop,
      form: good,
      error: "invalid_target",
    },
    {
      name: "RFC 8693 section 2.2.2, weak point 4.4.4: an unknown target is invalid_target",
      form: async () => ({ ...(await good()), audience: "local:benefits:nobody" }),
      error: "invalid_target",
    },
    {
      name: "weak point 4.4.4: an unsupported grant is unsupported_grant_type",
      form: async () => ({ ...(await good()), grant_type: "client_credentials" }),
      error: "unsupported_grant_type",
    },
    {
      name: "weak point 4.4.4: an assertion of another key is invalid_client",
      form: async () => ({
        ...(await good()),
        client_assertion: await signed(on.apps.get(snoop)!, {
          iss: portal,
          sub: portal,
          aud: on.issuer,
          jti: "x",
          iat: on.clock.now,
          exp: on.clock.now + 60,
        }),
      }),
      status: 401,
      error: "invalid_client",
    },
    {
      name: "weak point 4.4.10: an assertion for the token endpoint",
      form: async () => ({
        ...(await good()),
        client_assertion: await on.assertion(portal, { aud: `${on.issuer}/token` }),
      }),
      status: 401,
      error: "invalid_client",
    },
    {
      name: "weak point 4.4.3: an assertion that lives over 120 s, though little is left of it",
      form: async () => ({
        ...(await good()),
        client_assertion: await on.assertion(portal, { iat: on.clock.now - 100, exp: on.clock.now + 30 }),
      }),
      status: 401,
      error: "invalid_client",
    },
    {
      name: "weak point 4.4.2: a token that ID-porten made for another client",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ aud: "unspecified", client_id: "somebody-else" }),
      }),
      error: "invalid_request",
    },
    {
      name: "an ID token as subject token",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ aud: "portal-at-idporten", client_id: undefined, nonce: "n" }),
      }),
      error: "invalid_request",
    },
    {
      name: "a subject token of an unknown issuer",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ iss: "https://evil.example" }),
      }),
      error: "invalid_request",
    },
    {
      name: "an expired subject token",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ iat: on.clock.now - 100, exp: on.clock.now - 1 }),
      }),
      error: "invalid_request",
    },
    {
      name: "a subject token that is not valid yet",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ nbf: on.clock.now + 60 }),
      }),
      error: "invalid_request",
    },
    {
      name: "a subject token without exp",
      form: async () => ({ ...(await good()), subject_token: await on.subjectToken({ exp: undefined }) }),
      error: "invalid_request",
    },
    {
      name: "a subject token signed by somebody else under the provider's kid",
      form: async () => ({
        ...(await good()),
        subject_token: await signed(
          { ...on.apps.get(snoop)!, jwk: on.idporten.jwk },
          { iss: on.idporten.issuer, aud: "x", iat: on.clock.now, exp: on.clock.now + 60 },
        ),
      }),
      error: "invalid_request",
    },
    {
      name: "an unsigned subject token",
      form: async () => ({
        ...(await good()),
        subject_token: `${btoa('{"alg":"none"}')}.${(await on.subjectToken()).split(".")[1]}.`,
      }),
      error: "invalid_request",
    },
    {
      name: "a logout token as subject token",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({}, { typ: "logout+jwt" }),
      }),
      error: "invalid_request",
    },
    {
      name: "RFC 8693 section 4.4: may_act that names another actor beside the caller",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ may_act: { sub: api, client_id: portal } }),
      }),
      error: "invalid_request",
    },
    {
      name: "RFC 8693 section 4.4: may_act that names another actor",
      form: async () => ({
        ...(await good()),
        subject_token: await on.subjectToken({ may_act: { sub: api } }),
      }),
      error: "invalid_request",
    },
    {
      name: "RFC 8693 section 2.1: an unknown subject_token_type",
      form: async () => ({ ...(await good()), subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }),
      error: "invalid_request",
    },
    {
      name: "RFC 8693 section 2.1: a requested_token_type that is not made here",
      form: async () => ({
        ...(await good()),
        requested_token_type: "urn:ietf:params:oauth:token-type:refresh_token",
      }),
      error: "invalid_request",
    },
    {
      name: "RFC 8693 section 2.1: an actor_token, whoever it names",
      form: async () => ({
        ...(await good()),
        actor_token: "x",
        actor_token_type: "urn:ietf:params:oauth:token-type:jwt",
      }),
      error: "invalid_request",
    },
    {
      name: "RFC 8693 section 2.1: actor_token_type without actor_token",
      form: async () => ({ ...(await good()), actor_token_type: "urn:ietf:params:oauth:token-type:jwt" }),
      error: "invalid_request",
    },
    {
      name: "RFC 8707 section 2: a resource beside another audience is refused",
      form: async () => ({ ...(await good()), resource: register }),
      error: "invalid_target",
    },
    {
      name: "RFC 8707 section 2: a resource that nobody registered is refused",
      form: async () => ({ subject_token: await on.subjectToken(), resource: "https://api.example" }),
      error: "invalid_target",
    },
    {
      name: "RFC 8707 section 2: a resource that is no absolute URI is refused",
      form: async () => ({ ...(await good()), resource: "application-api" }),
      error: "invalid_target",
    },
    {
      name: "RFC 8707 section 2: a resource with a fragment is refused",
      form: async () => ({ subject_token: await on.subjectToken(), resource: `${api}#part` }),
      error: "invalid_target",
    },
    {
      name: "RFC 8707 section 2.2: a resource that does not admit the caller is refused",
      by: snoop,
      form: async () => ({ subject_token: await on.subjectToken(), resource: api }),
      error: "invalid_target",
    },
    {
      name: "a scope beyond that of the subject token",
      form: async () => ({ ...(await good()), scope: "openid admin" }),
      error: "invalid_scope",
    },
    { name: "no subject_token", form: async () => ({ audience: api }), error: "invalid_request" },
    {
      name: "no audience",
      form: async () => ({ subject_token: await on.subjectToken() }),
      error: "invalid_request",
    },
  ];
  for (const { name, by = portal, form, status = 400, error } of rows) {
    test(name, async () => {
      const answer = await on.exchange(by, await form());
      assert.equal(answer.body["error"], error, JSON.stringify(answer.body));
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("cache-control"), "no-store");
    });
  }

  test("RFC 8707 section 2: resource names a target by its id, as audience does, also beside it", async () => {
    for (const names of [{ resource: api }, { resource: api, audience: api }]) {
      const answer = await on.exchange(portal, { subject_token: await on.subjectToken(), ...names });
      assert.equal(decodeJwt(tokenOf(answer)).aud, api);
    }
  });

  test("RFC 8693 section 2.1: two audiences are invalid_target, not one of them", async () => {
    const form = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await on.assertion(portal),
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: await on.subjectToken(),
      audience: api,
    });
    form.append("audience", register);
    assert.equal((await on.post(form)).body["error"], "invalid_target");
  });

  test("weak point 4.4.3: an assertion is accepted once", async () => {
    const client_assertion = await on.assertion(portal);
    assert.equal((await on.exchange(portal, { ...(await good()), client_assertion })).status, 200);
    const again = await on.exchange(portal, { ...(await good()), client_assertion });
    assert.equal(again.status, 401);
    assert.equal(again.body["error"], "invalid_client");
  });
});

test("a subject token is tied to the caller by its own client id at the issuer, as registered", async () => {
  const own = { portvakt_subject_clients: { [on.idporten.issuer]: ["bff-at-idporten"] } };
  await on.register("local:benefits:bff", own);
  await on.register("local:benefits:behind", { accessPolicyInbound: ["local:benefits:bff", portal] });
  const subject_token = await on.subjectToken({ aud: "unspecified", client_id: "bff-at-idporten" });
  assert.equal(
    (await on.exchange("local:benefits:bff", { subject_token, audience: "local:benefits:behind" })).status,
    200,
  );
  assert.equal((await on.exchange(portal, { subject_token, audience: "local:benefits:behind" })).status, 400);
});

test("a denial is vague to the caller, and in full in the decision log, by its id", async () => {
  const answer = await on.exchange(snoop, { subject_token: await on.subjectToken(), audience: api });
  const id = answer.body["decision_id"];
  assert.equal(typeof id, "string");
  assert.doesNotMatch(JSON.stringify(answer.body), /benefits/);
  const line = on.logged
    .map((one) => JSON.parse(one) as Record<string, Record<string, unknown>>)
    .find((one) => one["decision"]?.["id"] === id);
  assert.equal(line?.["decision"]?.["reason"], "no_rule");
  assert.equal(line?.["decision"]?.["actor"], snoop);
  assert.equal(line?.["decision"]?.["target"], api);
});

test("no token, assertion or key appears in any log line or metric", async () => {
  const text = on.logged.join("\n") + (await on.metrics());
  assert.ok(text.includes("exchange allowed") && text.includes("portvakt_tokenx_tokens_issued_total"));
  assert.doesNotMatch(text, /ey[\w-]{10,}\.[\w-]{10,}/);
});

describe("delegation attacks", () => {
  test("self-extension of life by A-B-A: exchanging back and forth extends no life and forgets no actor", async () => {
    const a = "local:loop:a";
    const b = "local:loop:b";
    await on.register(a, { accessPolicyInbound: [b] });
    await on.register(b, { accessPolicyInbound: [a] });
    const end = on.clock.now + 300;
    let token = await on.subjectToken({ exp: end });
    const hops: string[] = [];
    for (const [by, to] of [
      [a, b],
      [b, a],
      [a, b],
      [b, a],
    ] as const) {
      on.clock.now += 10;
      token = tokenOf(await on.exchange(by, { subject_token: token, audience: to }));
      hops.unshift(by);
      const claims = decodeJwt(token);
      assert.equal(claims.exp, end);
      assert.deepEqual(actors(claims["act"]), hops);
    }
  });

  test("chain splicing: a token made for another application in the chain is not the caller's to exchange", async () => {
    const forApi = tokenOf(
      await on.exchange(portal, { subject_token: await on.subjectToken(), audience: api }),
    );
    for (const thief of [portal, snoop, register]) {
      const answer = await on.exchange(thief, { subject_token: forApi, audience: register });
      assert.equal(answer.body["error"], "invalid_request", thief);
    }
  });

  test("foreign audience: a token that was made for another application, by us or by the provider, is not exchanged", async () => {
    const ours = tokenOf(
      await on.exchange(portal, { subject_token: await on.subjectToken(), audience: api }),
    );
    const theirs = await on.subjectToken({ aud: api, client_id: "somebody-else" });
    const both = await on.subjectToken({ aud: ["unspecified", "x"], client_id: "somebody-else" });
    for (const subject_token of [ours, theirs, both]) {
      const { status, body } = await on.exchange(snoop, { subject_token, audience: register });
      assert.deepEqual([status, body["error"]], [400, "invalid_request"]);
    }
  });

  test("a chain ends at 8 actors", async () => {
    const ids = Array.from({ length: 10 }, (_, i) => `local:chain:app${i}`);
    for (const [i, id] of ids.entries())
      await on.register(id, { accessPolicyInbound: i === 0 ? [] : [ids[i - 1]] });
    let answer = { body: { access_token: await on.subjectToken() } as Record<string, unknown> };
    for (let i = 0; i < 9; i++)
      answer = await on.exchange(ids[i]!, {
        subject_token: String(answer.body["access_token"]),
        audience: ids[i + 1]!,
      });
    assert.equal(answer.body["error"], "invalid_request");
    assert.match(String(answer.body["error_description"]), /more than 8/);
  });

  test("claims injected through the subject token do not become this server's own", async () => {
    const subject_token = await on.subjectToken({
      idp: "https://forged.example",
      client_id: "portal-at-idporten",
      jti: "chosen",
      nbf: 1,
      azp: "x",
    });
    const claims = decodeJwt(tokenOf(await on.exchange(portal, { subject_token, audience: api })));
    assert.equal(claims["idp"], on.idporten.issuer);
    assert.equal(claims["client_id"], portal);
    assert.notEqual(claims.jti, "chosen");
    assert.equal("azp" in claims, false);
  });
});

function actors(act: unknown): string[] {
  const { sub, act: before } = (act ?? {}) as { sub?: string; act?: unknown };
  return sub === undefined ? [] : [sub, ...actors(before)];
}

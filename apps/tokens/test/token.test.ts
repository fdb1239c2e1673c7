import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { clientIds, startApi } from "./api.ts";

const path = "/api/v1/token";

test("Entra ID: client credentials with an assertion, and the target's three forms", async (t) => {
  await using api = await startApi();
  const rows = [
    {
      name: "cluster:namespace:app",
      target: "local:benefits:case-api",
      scope: "api://local.benefits.case-api/.default",
    },
    {
      name: "identifier URI",
      target: "api://local.benefits.case-api/.default",
      scope: "api://local.benefits.case-api/.default",
    },
    {
      name: "raw scope",
      target: "https://graph.microsoft.com/.default",
      scope: "https://graph.microsoft.com/.default",
    },
  ];
  for (const { name, target, scope } of rows) {
    await t.test(name, async () => {
      const reply = await api.post(path, { identity_provider: "azuread", target, skip_cache: true });
      assert.equal(reply.status, 200);
      assert.deepEqual(Object.keys(reply.body).toSorted(), ["access_token", "expires_in", "token_type"]);
      assert.equal(reply.body["expires_in"], 3600);
      assert.equal(reply.body["token_type"], "Bearer");
      const { form, assertion } = api.entra.received.at(-1)!;
      assert.deepEqual(Object.fromEntries(form), {
        grant_type: "client_credentials",
        scope,
        client_id: clientIds.entra,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: form.get("client_assertion"),
      });
      assert.equal(assertion?.iss, clientIds.entra);
      assert.equal(assertion?.sub, clientIds.entra);
    });
  }
});

test("Maskinporten: everything is in the assertion, and it has no sub", async () => {
  await using api = await startApi();
  const details = [
    {
      type: "urn:altinn:systemuser",
      systemuser_org: { authority: "iso6523-actorid-upis", ID: "0192:889640782" },
    },
  ];
  const reply = await api.post(path, {
    identity_provider: "maskinporten",
    target: "nav:helse/sykepenger/afp.read nav:other",
    resource: "https://tax.example",
    authorization_details: details,
    consumer_org: "889640782",
    pid: "12345678901",
  });
  assert.equal(reply.status, 200);
  const { form, assertion } = api.maskinporten.received[0]!;
  assert.deepEqual([...form.keys()], ["grant_type", "assertion"]);
  assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const { iat, exp, jti, ...rest } = assertion!;
  assert.deepEqual(rest, {
    iss: clientIds.maskinporten,
    aud: api.maskinporten.issuer,
    scope: "nav:helse/sykepenger/afp.read nav:other",
    resource: ["https://tax.example"],
    authorization_details: details,
    consumer_org: "889640782",
    pid: "12345678901",
  });
  assert.ok(exp! - iat! <= 120);
  assert.ok(jti!.length > 16);
});

test("Maskinporten: a form carries authorization_details as JSON text", async () => {
  await using api = await startApi();
  const reply = await api.form(path, {
    identity_provider: "maskinporten",
    target: "nav:thing",
    authorization_details: '[{"type":"urn:altinn:systemuser"}]',
    skip_cache: "true",
  });
  assert.equal(reply.status, 200);
  assert.deepEqual(api.maskinporten.received[0]!.assertion!["authorization_details"], [
    { type: "urn:altinn:systemuser" },
  ]);
});

test("requests that make no sense are refused in the baseline's words", async (t) => {
  await using api = await startApi();
  const target = "local:benefits:case-api";
  const rows = [
    {
      name: "unknown provider",
      body: { identity_provider: "github", target },
      says: "identity provider 'github' is not enabled",
    },
    {
      name: "no machine grant at TokenX",
      body: { identity_provider: "tokenx", target },
      says: "identity provider 'tokenx' does not support token requests",
    },
    {
      name: "no machine grant at ID-porten",
      body: { identity_provider: "idporten", target },
      says: "identity provider 'idporten' does not support token requests",
    },
    { name: "no target", body: { identity_provider: "entra_id" }, says: "target: is missing" },
    { name: "empty target", body: { identity_provider: "entra_id", target: "" }, says: "target: is empty" },
    { name: "no provider", body: { target }, says: "identity_provider: is missing" },
  ];
  for (const { name, body, says } of rows) {
    await t.test(name, async () => {
      const reply = await api.post(path, body);
      assert.equal(reply.status, 400);
      assert.deepEqual(reply.body, { error: "invalid_request", error_description: says });
    });
  }
  await t.test("unsupported media type", async () => {
    const response = await fetch(api.url + path, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "x",
    });
    assert.equal(response.status, 400);
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(
      body["error_description"],
      "unsupported media type: text/plain: expected one of application/json, application/x-www-form-urlencoded",
    );
  });
  await t.test("a repeated parameter", async () => {
    const body = "identity_provider=entra_id&target=a&target=b";
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await fetch(api.url + path, { method: "POST", headers, body });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /target is repeated/);
  });
  await t.test("a body that is too large", async () => {
    const reply = await api
      .post(path, { identity_provider: "entra_id", target: "x".repeat(200_000) })
      .catch(() => undefined);
    assert.ok(reply === undefined || reply.status === 413);
  });
});

test("a held token is handed out with what is truly left of it", async () => {
  await using api = await startApi();
  const ask = { identity_provider: "entra_id", target: "local:benefits:case-api" };
  const first = await api.post(path, ask);
  api.clock.seconds += 100;
  const second = await api.post(path, ask);
  assert.equal(second.body["access_token"], first.body["access_token"]);
  assert.equal(second.body["expires_in"], 3500);
  assert.equal(api.entra.received.length, 1);
  const third = await api.post(path, { ...ask, skip_cache: true });
  assert.notEqual(third.body["access_token"], first.body["access_token"]);
  assert.equal((await api.post(path, ask)).body["access_token"], third.body["access_token"]);
});

test("equal concurrent requests are one request to the provider", async () => {
  await using api = await startApi();
  const ask = { identity_provider: "maskinporten", target: "nav:thing" };
  const replies = await Promise.all(Array.from({ length: 20 }, () => api.post(path, ask)));
  assert.equal(new Set(replies.map(({ body }) => body["access_token"])).size, 1);
  assert.equal(api.maskinporten.received.length, 1);
});

test("requests that differ in anything that changes the token never share one", async (t) => {
  await using api = await startApi();
  const base = { identity_provider: "maskinporten", target: "nav:a nav:b" };
  const rows: { name: string; ask: Record<string, unknown> }[] = [
    { name: "base", ask: base },
    { name: "order of scopes", ask: { ...base, target: "nav:b nav:a" } },
    { name: "resource", ask: { ...base, resource: "https://one.example" } },
    { name: "two resources", ask: { ...base, resource: ["https://one.example", "https://two.example"] } },
    { name: "consumer_org", ask: { ...base, consumer_org: "889640782" } },
    { name: "pid", ask: { ...base, pid: "889640782" } },
    { name: "authorization_details", ask: { ...base, authorization_details: [{ type: "x" }] } },
  ];
  const tokens = new Set<unknown>();
  for (const { name, ask } of rows) {
    await t.test(name, async () => {
      const { body } = await api.post(path, ask);
      assert.ok(!tokens.has(body["access_token"]));
      tokens.add(body["access_token"]);
    });
  }
});

test("exchange: TokenX gets RFC 8693 section 2.1, Entra ID its on-behalf-of", async () => {
  await using api = await startApi();
  const soon = api.clock.seconds + 600;
  const citizen = await api.idporten.sign({
    iss: api.idporten.issuer,
    aud: "https://benefits.example",
    exp: soon,
  });
  const exchanged = await api.post(`${path}/exchange`, {
    identity_provider: "tokenx",
    target: "local:benefits:application-api",
    user_token: citizen,
  });
  assert.equal(exchanged.status, 200);
  const { client_assertion: _proof, ...form } = Object.fromEntries(api.tokenx.received[0]!.form);
  assert.deepEqual(form, {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: citizen,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    audience: "local:benefits:application-api",
    client_id: clientIds.tokenx,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  });
  const employee = await api.entra.sign({ iss: api.entra.issuer, aud: clientIds.entra, exp: soon });
  const onBehalf = await api.form(`${path}/exchange`, {
    identity_provider: "azuread",
    target: "local:benefits:case-api",
    user_token: employee,
  });
  assert.equal(onBehalf.status, 200);
  const { client_assertion: _proof2, ...obo } = Object.fromEntries(api.entra.received[0]!.form);
  assert.deepEqual(obo, {
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    requested_token_use: "on_behalf_of",
    assertion: employee,
    scope: "api://local.benefits.case-api/.default",
    client_id: clientIds.entra,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  });
  assert.equal(decodeJwt(String(onBehalf.body["access_token"])).iss, api.entra.issuer);
});

test("exchange: the user token is looked at first, and the error says what is wrong with it", async (t) => {
  await using api = await startApi();
  const at = api.clock.seconds;
  const token = (claims: Record<string, unknown>) => api.entra.sign({ exp: at + 600, ...claims });
  const rows = [
    {
      name: "Entra ID: expired",
      provider: "entra_id",
      claims: { aud: clientIds.entra, exp: at - 34 },
      error: "invalid_grant",
      says: /^user_token expired 34 s ago$/,
    },
    {
      name: "Entra ID: for another application",
      provider: "entra_id",
      claims: { aud: "other" },
      error: "invalid_grant",
      says: /^user_token is for "other", not for this application/,
    },
    {
      name: "Entra ID: a machine's",
      provider: "entra_id",
      claims: { aud: clientIds.entra, idtyp: "app" },
      error: "invalid_grant",
      says: /machine token/,
    },
    {
      name: "TokenX: expired",
      provider: "tokenx",
      claims: { iss: api.idporten.issuer, aud: "https://benefits.example", exp: at - 1 },
      error: "invalid_request",
      says: /expired 1 s ago/,
    },
    {
      name: "TokenX: ID-porten's, for another resource",
      provider: "tokenx",
      claims: { iss: api.idporten.issuer, aud: "https://other.example" },
      error: "invalid_request",
      says: /is for "https:\/\/other.example"/,
    },
    {
      name: "TokenX: its own, for another application",
      provider: "tokenx",
      claims: { iss: api.tokenx.issuer, aud: "local:benefits:other" },
      error: "invalid_request",
      says: /is for "local:benefits:other"/,
    },
  ];
  // The audiences of other providers are known once they have been found.
  assert.equal((await api.ready()).checks["idporten"] !== undefined, true);
  await api.post("/api/v1/introspect", { identity_provider: "idporten", token: "x" });
  await api.post("/api/v1/introspect", { identity_provider: "tokenx", token: "x" });
  for (const { name, provider, claims, error, says } of rows) {
    await t.test(name, async () => {
      const reply = await api.post(`${path}/exchange`, {
        identity_provider: provider,
        target: "local:benefits:x",
        user_token: await token(claims),
      });
      assert.equal(reply.status, 400);
      assert.equal(reply.body["error"], error);
      assert.match(String(reply.body["error_description"]), says);
      assert.equal(reply.body["owner"], "application");
      assert.equal(typeof reply.body["hint"], "string");
    });
  }
  await t.test("nothing was sent to a provider", () => {
    assert.equal(api.entra.received.length + api.tokenx.received.length, 0);
  });
});

test("exchange: two users never share a token", async () => {
  await using api = await startApi();
  const sign = (sub: string) => api.entra.sign({ sub, aud: clientIds.entra, exp: api.clock.seconds + 600 });
  const ask = { identity_provider: "entra_id", target: "local:benefits:case-api" };
  const first = await api.post(`${path}/exchange`, { ...ask, user_token: await sign("anna") });
  const second = await api.post(`${path}/exchange`, { ...ask, user_token: await sign("ola") });
  assert.notEqual(first.body["access_token"], second.body["access_token"]);
});

test("a token that was held is not handed out for a user token that has expired since", async () => {
  await using api = await startApi();
  const user_token = await api.entra.sign({ aud: clientIds.entra, exp: api.clock.seconds + 60 });
  const ask = { identity_provider: "entra_id", target: "local:benefits:case-api", user_token };
  assert.equal((await api.post(`${path}/exchange`, ask)).status, 200);
  api.clock.seconds += 61;
  const late = await api.post(`${path}/exchange`, ask);
  assert.equal(late.status, 400);
  assert.match(String(late.body["error_description"]), /expired 1 s ago/);
});

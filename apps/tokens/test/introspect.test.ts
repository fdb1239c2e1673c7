import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, type JWTPayload } from "jose";
import { clientIds, startApi, until, type Api } from "./api.ts";

const path = "/api/v1/introspect";
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An access token of the Entra double that nothing is wrong with. */
function rightClaims(api: Api): JWTPayload {
  const at = api.clock.seconds;
  return {
    iss: api.entra.issuer,
    aud: clientIds.entra,
    iat: at,
    nbf: at,
    exp: at + 600,
    sub: "s",
    azp: "caller",
    idtyp: "app",
    roles: ["access_as_application"],
  };
}

test("a right token of each provider is active, with all its claims", async (t) => {
  await using api = await startApi();
  const at = api.clock.seconds;
  const times = { iat: at, exp: at + 600 };
  const rows = [
    {
      name: "entra_id",
      double: api.entra,
      claims: { aud: clientIds.entra, azp: "caller", oid: "o", nested: { a: [1] } },
    },
    { name: "azuread", double: api.entra, claims: { aud: clientIds.entra, azp: "caller" } },
    {
      name: "maskinporten",
      double: api.maskinporten,
      claims: { scope: "nav:thing", consumer: { authority: "iso6523-actorid-upis", ID: "0192:889640782" } },
    },
    {
      name: "tokenx",
      double: api.tokenx,
      claims: { aud: clientIds.tokenx, pid: "12345678901", acr: "Level4", idp: "https://idporten.no" },
    },
    {
      name: "idporten",
      double: api.idporten,
      claims: { aud: ["https://benefits.example"], pid: "12345678901", acr: "idporten-loa-high" },
    },
  ];
  for (const { name, double, claims } of rows) {
    await t.test(name, async () => {
      const all = { iss: double.issuer, ...times, ...claims };
      const token = await double.sign(all);
      for (const reply of [
        await api.post(path, { identity_provider: name, token }),
        await api.form(path, { identity_provider: name, token }),
      ]) {
        assert.equal(reply.status, 200);
        assert.deepEqual(reply.body, { active: true, ...all });
      }
    });
  }
});

test("journey 4: every wrong token is refused with its own reason, and always with 200", async (t) => {
  await using api = await startApi();
  const at = api.clock.seconds;
  const right = rightClaims(api);
  const stranger = await generateKeyPair("RS256", { extractable: true });
  const strangerJwk = await exportJWK(stranger.publicKey);
  const signed = (header: Record<string, unknown>, claims: JWTPayload = right) =>
    api.entra.sign(claims, header);
  const byStranger = (header: Record<string, unknown>) =>
    new SignJWT(right)
      .setProtectedHeader({ alg: "RS256", kid: "key-1", ...header })
      .sign(stranger.privateKey);
  const pem = await exportSPKI(
    (await importJWK(api.entra.publicJwk, "RS256", { extractable: true })) as CryptoKey,
  );
  const confused = `${b64({ alg: "HS256", kid: "key-1" })}.${b64(right)}`;
  const hs256 = `${confused}.${createHmac("sha256", pem).update(confused).digest("base64url")}`;
  const good = await signed({});
  const cut = good.slice(0, -10);
  const otherClaims = good.split(".");
  otherClaims[1] = b64({ ...right, roles: ["admin"] });

  const rows: { name: string; token: string; says: RegExp }[] = [
    { name: "expired", token: await signed({}, { ...right, exp: at - 34 }), says: /token expired 34 s ago/ },
    {
      name: "wrong audience",
      token: await signed({}, { ...right, aud: "other" }),
      says: /for "other", not for "3a5f7c1e/,
    },
    { name: "no audience", token: await signed({}, { ...right, aud: undefined! }), says: /for nobody/ },
    {
      name: "wrong issuer",
      token: await signed({}, { ...right, iss: "https://evil.example" }),
      says: /^token can not be validated with this identity provider: the issuer is "https:\/\/evil.example"/,
    },
    {
      name: "another provider's token",
      token: await api.tokenx.sign({ ...right, iss: api.tokenx.issuer }),
      says: /^token can not be validated with this identity provider/,
    },
    {
      name: "another provider's signature",
      token: await api.tokenx.sign(right),
      says: /signature does not match/,
    },
    {
      name: "another's signature under our key's name",
      token: await byStranger({}),
      says: /signature does not match/,
    },
    {
      name: "unknown key",
      token: await signed({ kid: "gone" }),
      says: /signed by key "gone", which is not among the 1 keys of .* fetched \d+ s ago/,
    },
    { name: "alg none", token: `${b64({ alg: "none" })}.${b64(right)}.`, says: /alg "none" is not allowed/ },
    {
      name: "alg None with a signature",
      token: `${b64({ alg: "None", kid: "key-1" })}.${b64(right)}.AAAA`,
      says: /alg "None" is not allowed/,
    },
    { name: "HS256 with the public key as secret", token: hs256, says: /alg "HS256" is not allowed/ },
    { name: "jku", token: await byStranger({ jku: "https://evil.example/jwks" }), says: /own key \(jku\)/ },
    { name: "x5u", token: await byStranger({ x5u: "https://evil.example/cert" }), says: /own key \(x5u\)/ },
    { name: "jwk", token: await byStranger({ jwk: strangerJwk }), says: /own key \(jwk\)/ },
    { name: "x5c", token: await byStranger({ x5c: ["AAAA"] }), says: /own key \(x5c\)/ },
    {
      name: "unknown critical header",
      token: `${b64({ alg: "RS256", kid: "key-1", crit: ["exp"], exp: 1 })}.${b64(right)}.AAAA`,
      says: /critical extensions/,
    },
    {
      name: "b64 false",
      token: `${b64({ alg: "RS256", kid: "key-1", b64: false, crit: ["b64"] })}.${b64(right)}.AAAA`,
      says: /critical extensions/,
    },
    {
      name: "not yet valid",
      token: await signed({}, { ...right, nbf: at + 120 }),
      says: /not valid for another 120 s/,
    },
    {
      name: "issued in the future",
      token: await signed({}, { ...right, iat: at + 120 }),
      says: /issued 120 s in the future/,
    },
    { name: "no expiry", token: await signed({}, { ...right, exp: undefined! }), says: /has no exp/ },
    { name: "no issuer", token: await signed({}, { ...right, iss: undefined! }), says: /has no iss/ },
    {
      name: "an ID token (nonce)",
      token: await signed({}, { ...right, nonce: "n" }),
      says: /this is an ID token/,
    },
    {
      name: "an ID token (nobody called)",
      token: await signed({}, { iss: right.iss!, aud: right.aud!, iat: at, exp: at + 600, sub: "s" }),
      says: /not an access token/,
    },
    { name: "a logout token", token: await signed({ typ: "logout+jwt" }), says: /typ "logout\+jwt"/ },
    {
      name: "a client assertion",
      token: await signed({ typ: "client-authentication+jwt" }),
      says: /typ "client-authentication\+jwt"/,
    },
    {
      name: "some other typ",
      token: await signed({ typ: "kb+jwt" }),
      says: /typ is not that of an access token/,
    },
    { name: "cut off", token: cut, says: /signature does not match/ },
    { name: "changed claims", token: otherClaims.join("."), says: /signature does not match/ },
    { name: "not a token", token: "Bearer", says: /not a signed JWT/ },
    { name: "two parts", token: "a.b", says: /not a signed JWT/ },
    { name: "nothing", token: "", says: /no token/ },
    { name: "too large", token: `a.${"b".repeat(17_000)}.c`, says: /too large/ },
  ];
  assert.equal((await api.post(path, { identity_provider: "entra_id", token: good })).body["active"], true);
  for (const { name, token, says } of rows) {
    await t.test(name, async () => {
      const reply = await api.post(path, { identity_provider: "entra_id", token });
      assert.equal(reply.status, 200);
      assert.equal(reply.body["active"], false);
      assert.deepEqual(Object.keys(reply.body), ["active", "error"]);
      assert.match(String(reply.body["error"]), says);
      assert.ok(
        token.length < 20 || !JSON.stringify(reply.body).includes(token.slice(-20)),
        "the answer does not repeat the token",
      );
    });
  }
  await t.test("nothing in the log holds a token", () => {
    for (const line of api.logLines) assert.doesNotMatch(line, /eyJ[\w-]+\.[\w-]+/);
  });
});

test("RFC 9068 section 2.1: typ at+jwt is an access token, also written as a media type", async () => {
  await using api = await startApi();
  for (const typ of ["at+jwt", "application/at+jwt", "AT+JWT"]) {
    const token = await api.entra.sign(rightClaims(api), { typ });
    assert.equal((await api.post(path, { identity_provider: "entra_id", token })).body["active"], true);
  }
});

test("a claim named active does not get through", async () => {
  await using api = await startApi();
  const token = await api.entra.sign({ ...rightClaims(api), active: "yes" });
  assert.equal((await api.post(path, { identity_provider: "entra_id", token })).body["active"], true);
});

test("a remembered token ends when it expires", async () => {
  await using api = await startApi();
  const token = await api.entra.sign(rightClaims(api));
  const ask = { identity_provider: "entra_id", token };
  for (const time of ["new", "verified again", "remembered"])
    assert.equal((await api.post(path, ask)).body["active"], true, time);
  api.clock.seconds += 620;
  assert.match(String((await api.post(path, ask)).body["error"]), /expired 20 s ago/);
});

test("a remembered token ends when its key is withdrawn", async () => {
  await using api = await startApi();
  const token = await api.entra.sign({ ...rightClaims(api), exp: api.clock.seconds + 3600 });
  const ask = { identity_provider: "entra_id", token };
  for (const time of ["new", "verified again", "remembered"])
    assert.equal((await api.post(path, ask)).body["active"], true, time);
  await api.entra.rotate();
  api.clock.seconds += 10;
  const next = await api.entra.sign({ ...rightClaims(api), exp: api.clock.seconds + 3600 });
  assert.equal((await api.post(path, { ...ask, token: next })).body["active"], true);
  assert.match(
    String((await api.post(path, ask)).body["error"]),
    /signed by key "key-1", which is not among the 1 keys/,
  );
});

test("require: what the API asks for beyond a valid token", async (t) => {
  await using api = await startApi();
  const at = api.clock.seconds;
  const citizen = await api.tokenx.sign({
    iss: api.tokenx.issuer,
    aud: clientIds.tokenx,
    iat: at,
    exp: at + 600,
    acr: "idporten-loa-substantial",
    client_id: "local:benefits:portal",
    scope: "read write",
    auth_time: at - 300,
  });
  const machine = await api.entra.sign({ ...rightClaims(api), groups: ["g1"], azp: "caller" });
  const rows = [
    { name: "acr met", provider: "tokenx", require: { acr: "idporten-loa-substantial" } },
    { name: "acr under another name", provider: "tokenx", require: { acr: ["Level3"] } },
    {
      name: "acr too low",
      provider: "tokenx",
      require: { acr: "idporten-loa-high" },
      says: /signed in at idporten-loa-substantial, and idporten-loa-high is required/,
    },
    {
      name: "an unknown acr is met by itself alone",
      provider: "tokenx",
      require: { acr: "other" },
      says: /other is required/,
    },
    { name: "scopes met", provider: "tokenx", require: { scope: "read write" } },
    {
      name: "a scope missing",
      provider: "tokenx",
      require: { scope: ["read", "admin"] },
      says: /does not have the scope admin/,
    },
    { name: "client_id met", provider: "tokenx", require: { client_id: ["local:benefits:portal", "x"] } },
    {
      name: "client_id not met",
      provider: "tokenx",
      require: { client_id: "x" },
      says: /client_id is not one of those required/,
    },
    { name: "max_age met", provider: "tokenx", require: { max_age: 300 } },
    {
      name: "max_age not met",
      provider: "tokenx",
      require: { max_age: 299 },
      says: /signed in 300 s ago, and at most 299 s/,
    },
    {
      name: "max_age without auth_time",
      provider: "entra_id",
      require: { max_age: 299 },
      says: /does not say when the user signed in/,
    },
    { name: "roles met", provider: "entra_id", require: { roles: ["access_as_application"] } },
    {
      name: "roles not met",
      provider: "entra_id",
      require: { roles: ["admin"] },
      says: /does not have the role admin/,
    },
    { name: "groups met", provider: "entra_id", require: { groups: ["g0", "g1"] } },
    {
      name: "groups not met",
      provider: "entra_id",
      require: { groups: ["g0"] },
      says: /groups is not one of those required/,
    },
    {
      name: "azp not met",
      provider: "entra_id",
      require: { azp: "other" },
      says: /azp is not one of those required/,
    },
    { name: "idtyp app met", provider: "entra_id", require: { idtyp: "app" } },
    {
      name: "idtyp user not met",
      provider: "entra_id",
      require: { idtyp: "user" },
      says: /machine's token, and a user's is required/,
    },
    {
      name: "idtyp app not met",
      provider: "tokenx",
      require: { idtyp: "app" },
      says: /user's token, and a machine's is required/,
    },
  ];
  for (const { name, provider, require, says } of rows) {
    await t.test(name, async () => {
      const reply = await api.post(path, {
        identity_provider: provider,
        token: provider === "tokenx" ? citizen : machine,
        require,
      });
      assert.equal(reply.body["active"], says === undefined);
      if (says !== undefined) assert.match(String(reply.body["error"]), says);
    });
  }
  await t.test("a requirement that is misspelt is an error, not ignored", async () => {
    const reply = await api.post(path, {
      identity_provider: "tokenx",
      token: citizen,
      require: { arc: "x" },
    });
    assert.equal(reply.status, 400);
  });
});

test("any: the provider is found by issuer, and its own rules judge", async () => {
  await using api = await startApi();
  const at = api.clock.seconds;
  const token = await api.tokenx.sign({
    iss: api.tokenx.issuer,
    aud: clientIds.tokenx,
    iat: at,
    exp: at + 600,
  });
  const found = await api.post(path, { any: true, token });
  assert.equal(found.body["active"], true);
  assert.equal(found.body["identity_provider"], "tokenx");
  const foreign = await api.post(path, {
    any: true,
    token: await api.tokenx.sign({ iss: "https://evil.example" }),
  });
  assert.deepEqual(foreign.body, {
    active: false,
    error: "token can not be validated with any identity provider that is enabled",
  });
  assert.deepEqual((await api.post(path, { any: true, token: "opaque" })).body, foreign.body);
  const neither = await api.post(path, { token });
  assert.equal(neither.status, 400);
});

test("Maskinporten: aud is checked when one is configured", async () => {
  await using api = await startApi({ env: { MASKINPORTEN_AUDIENCE: "https://tax.example" } });
  const at = api.clock.seconds;
  const sign = (aud?: string) =>
    api.maskinporten.sign({
      iss: api.maskinporten.issuer,
      iat: at,
      exp: at + 60,
      ...(aud === undefined ? {} : { aud }),
    });
  const ask = async (token: string) =>
    (await api.post(path, { identity_provider: "maskinporten", token })).body;
  assert.equal((await ask(await sign("https://tax.example")))["active"], true);
  assert.match(String((await ask(await sign()))["error"]), /for nobody/);
  assert.match(
    String((await ask(await sign("https://other.example")))["error"]),
    /for "https:\/\/other.example"/,
  );
});

test("ID-porten: by-reference tokens are asked about at the provider (RFC 7662), each time", async (t) => {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: "k", alg: "RS256" };
  await using api = await startApi({
    env: { IDPORTEN_CLIENT_ID: "idporten-client", IDPORTEN_CLIENT_JWK: JSON.stringify(jwk) },
  });
  await until(async () => (await api.ready()).ready);
  const at = api.clock.seconds;
  const right = {
    active: true,
    iss: api.idporten.issuer,
    aud: "https://benefits.example",
    exp: at + 60,
    pid: "12345678901",
  };
  const rows = [
    { name: "active", says: right, expected: true },
    { name: "not active", says: { active: false }, expected: /says that the token is not active/ },
    { name: "for another", says: { ...right, aud: "x" }, expected: /not for this application/ },
    { name: "without audience", says: { ...right, aud: undefined }, expected: /not for this application/ },
    { name: "expired", says: { ...right, exp: at - 2 }, expected: /expired 2 s ago/ },
    { name: "not yet valid", says: { ...right, nbf: at + 30 }, expected: /not valid for another 30 s/ },
    { name: "no answer", says: { huh: 1 }, expected: /cannot be asked/ },
  ];
  for (const { name, says, expected } of rows) {
    await t.test(name, async () => {
      api.idporten.introspection = says;
      const { body } = await api.post(path, { identity_provider: "idporten", token: "opaque-token" });
      if (expected === true) assert.deepEqual(body, right);
      else assert.match(String(body["error"]), expected as RegExp);
    });
  }
  assert.equal(api.idporten.introspections, rows.length);
});

test("a by-reference token without means to ask about it is refused with the reason", async () => {
  await using api = await startApi();
  const { body } = await api.post(path, { identity_provider: "idporten", token: "opaque-token" });
  assert.match(String(body["error"]), /by-reference tokens cannot be asked about here/);
});

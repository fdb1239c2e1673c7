import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { startStandins, type Standins } from "../src/index.ts";
import { assertion, discover, now, post, registrations, standins, type AssertionOptions } from "./kit.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

describe("Maskinporten", () => {
  let idp: Standins;
  let endpoint: string;
  before(async () => {
    idp = await standins();
    endpoint = (await discover(idp.issuers.maskinporten, "oauth2")).token_endpoint ?? "";
  });
  after(() => idp.close());

  const grant = (options: AssertionOptions = {}) =>
    assertion({ iss: "payout", aud: idp.issuers.maskinporten, scope: "tax:income.read" }, options);
  const ask = async (options: AssertionOptions = {}) =>
    post(endpoint, { grant_type: jwtBearer, assertion: await grant(options) });
  const tokenOf = async (options: AssertionOptions = {}) =>
    decodeJwt(String((await ask(options)).body["access_token"]));

  test("the issuer ends with a slash, and there is only RFC 8414 metadata", async () => {
    assert.match(idp.issuers.maskinporten, /[^/]\/$/);
    const openid = await fetch(new URL(".well-known/openid-configuration", idp.issuers.maskinporten));
    assert.equal(openid.status, 404);
  });

  test("a grant becomes a token about the organisation, without sub and aud", async () => {
    const { body } = await ask();
    assert.equal(body["expires_in"], 60);
    assert.equal(body["scope"], "tax:income.read");
    assert.equal(body["token_type"], "Bearer");
    const { payload } = await jwtVerify(
      String(body["access_token"]),
      createRemoteJWKSet(new URL("jwk", idp.issuers.maskinporten)),
      { issuer: idp.issuers.maskinporten },
    );
    assert.deepEqual(payload["consumer"], { authority: "iso6523-actorid-upis", ID: "0192:889640782" });
    assert.equal(payload["client_id"], "payout");
    assert.equal(payload["client_amr"], "private_key_jwt");
    assert.equal("sub" in payload, false);
    assert.equal("aud" in payload, false);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60);
  });

  test("resource becomes aud, one or several", async () => {
    assert.equal((await tokenOf({ claims: { resource: ["https://a.example"] } })).aud, "https://a.example");
    assert.deepEqual(
      (await tokenOf({ claims: { resource: ["https://a.example", "https://b.example"] } })).aud,
      ["https://a.example", "https://b.example"],
    );
    assert.equal(
      (await tokenOf({ claims: { scope: "tax:audience", resource: "https://tax.example" } })).aud,
      "https://tax.example",
    );
  });

  test("a supplier with a delegation acts for the consumer", async () => {
    const payload = await tokenOf({ claims: { consumer_org: "310000001" } });
    assert.deepEqual(payload["consumer"], { authority: "iso6523-actorid-upis", ID: "0192:310000001" });
    assert.deepEqual(payload["supplier"], { authority: "iso6523-actorid-upis", ID: "0192:889640782" });
    assert.equal(payload["delegation_source"], "https://www.altinn.no");
  });

  test("RFC 9396: a system user's party comes back with its ids", async () => {
    const party = { authority: "iso6523-actorid-upis", ID: "0192:310000001" };
    const payload = await tokenOf({
      claims: { authorization_details: [{ type: "urn:altinn:systemuser", systemuser_org: party }] },
    });
    const [details] = payload["authorization_details"] as Record<string, unknown>[];
    assert.deepEqual(details?.["systemuser_org"], party);
    assert.ok(Array.isArray(details["systemuser_id"]));
  });

  test("iat may be ten seconds off, either way, and no more", async () => {
    const at = Math.floor(now());
    await using still = await startStandins({ now: () => at, registrations });
    const aud = still.issuers.maskinporten;
    const { token_endpoint = "" } = await discover(aud, "oauth2");
    for (const [seconds, status] of [
      [-11, 400],
      [-10, 200],
      [10, 200],
      [11, 400],
    ] as const) {
      const claims = { aud, iat: at + seconds, exp: at + 100 };
      const form = { grant_type: jwtBearer, assertion: await grant({ claims }) };
      assert.equal((await post(token_endpoint, form)).status, status, `${seconds} s`);
    }
  });

  const at = (): number => Math.floor(now());
  const cases: {
    name: string;
    options: () => AssertionOptions;
    error: string;
    says: RegExp;
    status?: number;
  }[] = [
    {
      name: "an unknown client",
      options: () => ({ claims: { iss: "nobody" } }),
      error: "invalid_client",
      says: /MP-100/,
      status: 401,
    },
    {
      name: "no iss",
      options: () => ({ without: ["iss"] }),
      error: "invalid_client",
      says: /MP-100/,
      status: 401,
    },
    { name: "a bad signature", options: () => ({ key: "stranger" }), error: "invalid_grant", says: /MP-124/ },
    {
      name: "an unknown kid",
      options: () => ({ header: { kid: "other" } }),
      error: "invalid_client",
      says: /MP-121/,
      status: 401,
    },
    {
      name: "no kid",
      options: () => ({ header: { kid: undefined } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    {
      name: "the issuer without its slash as aud",
      options: () => ({ claims: { aud: idp.issuers.maskinporten.slice(0, -1) } }),
      error: "invalid_grant",
      says: /MP-110/,
    },
    {
      name: "the token endpoint as aud",
      options: () => ({ claims: { aud: endpoint } }),
      error: "invalid_grant",
      says: /MP-110/,
    },
    {
      name: "a second audience",
      options: () => ({ claims: { aud: [idp.issuers.maskinporten, "https://other.example"] } }),
      error: "invalid_grant",
      says: /MP-110/,
    },
    {
      name: "expired",
      options: () => ({ claims: { iat: at() - 100, exp: at() - 20 } }),
      error: "invalid_grant",
      says: /MP-130/,
    },
    {
      name: "issued eleven seconds from now",
      options: () => ({ claims: { iat: at() + 12, exp: at() + 60 } }),
      error: "invalid_grant",
      says: /Issue time is after now/,
    },
    {
      name: "issued twelve seconds ago",
      options: () => ({ claims: { iat: at() - 12, exp: at() + 60 } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    {
      name: "a life of 121 seconds",
      options: () => ({ claims: { iat: at(), exp: at() + 121 } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    { name: "no exp", options: () => ({ without: ["exp"] }), error: "invalid_grant", says: /MP-011/ },
    { name: "no iat", options: () => ({ without: ["iat"] }), error: "invalid_grant", says: /MP-011/ },
    { name: "no scope", options: () => ({ without: ["scope"] }), error: "invalid_grant", says: /MP-011/ },
    {
      name: "a scope that is not on the client",
      options: () => ({ claims: { scope: "tax:income.read other:scope" } }),
      error: "invalid_scope",
      says: /MP-200/,
    },
    {
      name: "a scope that nobody registered",
      options: () => ({ claims: { scope: "tax:unknown" } }),
      error: "invalid_scope",
      says: /MP-200/,
    },
    {
      name: "a scope whose owner does not admit the organisation",
      options: () => ({ claims: { scope: "tax:secret.read" } }),
      error: "invalid_scope",
      says: /MP-250/,
      status: 403,
    },
    {
      name: "a consumer who delegated nothing",
      options: () => ({ claims: { consumer_org: "310000001", scope: "tax:audience" } }),
      error: "invalid_scope",
      says: /MP-250/,
      status: 403,
    },
    {
      name: "an organisation number that is none",
      options: () => ({ claims: { consumer_org: "12" } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    {
      name: "consumer_org beside iss_onbehalfof",
      options: () => ({ claims: { consumer_org: "310000001", iss_onbehalfof: "x" } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    {
      name: "no resource where the scope demands one",
      options: () => ({ claims: { scope: "tax:audience" } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    {
      name: "another resource than the scope's",
      options: () => ({ claims: { scope: "tax:audience", resource: "https://evil.example" } }),
      error: "invalid_grant",
      says: /MP-011/,
    },
    {
      name: "an unknown type of authorization_details",
      options: () => ({ claims: { authorization_details: [{ type: "other" }] } }),
      error: "invalid_authorization_details",
      says: /MP-301/,
    },
    {
      name: "unknown fields in authorization_details",
      options: () => ({
        claims: {
          authorization_details: [
            {
              type: "urn:altinn:systemuser",
              systemuser_org: { authority: "iso6523-actorid-upis", ID: "0192:310000001" },
              more: 1,
            },
          ],
        },
      }),
      error: "invalid_authorization_details",
      says: /MP-302/,
    },
    {
      name: "a wrong party in authorization_details",
      options: () => ({
        claims: {
          authorization_details: [
            {
              type: "urn:altinn:systemuser",
              systemuser_org: { authority: "iso6523-actorid-upis", ID: "310000001" },
            },
          ],
        },
      }),
      error: "invalid_authorization_details",
      says: /MP-303/,
    },
  ];
  for (const { name, options, error, says, status } of cases) {
    test(`refuses ${name}`, async () => {
      const answer = await ask(options());
      assert.match(String(answer.body["error_description"]), says);
      assert.equal(answer.body["error"], error);
      assert.equal(answer.status, status ?? 400);
      assert.equal("access_token" in answer.body, false);
    });
  }

  test("MP-251: a scope that the consumer may use, but did not delegate", async () => {
    idp.register({
      maskinporten: { scopes: [{ name: "tax:audience", consumers: ["889640782", "310000001"] }] },
    });
    const { body } = await ask({ claims: { consumer_org: "310000001", scope: "tax:audience" } });
    assert.match(String(body["error_description"]), /MP-251/);
  });
  test("MP-012: a grant used twice, with jti and without", async () => {
    for (const options of [{}, { without: ["jti"] }]) {
      const form = { grant_type: jwtBearer, assertion: await grant(options) };
      assert.equal((await post(endpoint, form)).status, 200);
      assert.match(String((await post(endpoint, form)).body["error_description"]), /MP-012/);
    }
  });
  test("a grant that was refused is not used up", async () => {
    const claims = { jti: "tried-once" };
    await ask({ claims: { ...claims, exp: at() + 3000 } });
    assert.equal((await ask({ claims })).status, 200);
  });
  test("another grant type", async () => {
    const { body } = await post(endpoint, { grant_type: "client_credentials", assertion: await grant() });
    assert.equal(body["error"], "unsupported_grant_type");
  });
  test("what is no JWT", async () => {
    const { body } = await post(endpoint, { grant_type: jwtBearer, assertion: "nonsense" });
    assert.match(String(body["error_description"]), /MP-011/);
  });
});

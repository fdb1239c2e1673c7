import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import { readSettings, SettingsError } from "@portvakt/runtime/config";
import { settings, startStandins, type FaultOrder, type Standins } from "../src/index.ts";
import { assertion, ids, now, post, registrations, standins } from "./kit.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

describe("the control API", () => {
  let idp: Standins;
  before(async () => {
    idp = await standins();
  });
  after(() => idp.close());

  const control = async (
    verb: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${idp.urls.control}${path}`, {
      method: verb,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  };
  const grant = async (headers: Record<string, string> = {}) =>
    post(
      `${idp.urls.maskinporten}/token`,
      {
        grant_type: jwtBearer,
        assertion: await assertion({
          iss: "payout",
          aud: idp.issuers.maskinporten,
          scope: "tax:income.read",
        }),
      },
      headers,
    );
  const appToken = (headers: Record<string, string> = {}) =>
    post(
      `${idp.urls.entra}/agency.example/oauth2/v2.0/token`,
      {
        grant_type: "client_credentials",
        scope: "api://local.benefits.case-api/.default",
        client_id: ids.frontend,
        client_secret: "secret-of-frontend",
      },
      headers,
    );

  test("says what it can do", async () => {
    const { body } = await control("GET", "/");
    assert.deepEqual(body["providers"], idp.issuers);
  });

  test("registrations: read, replaced, added to; a wrong one changes nothing and says where", async () => {
    const before = (await control("GET", "/registrations")).body;
    const added = await control("PATCH", "/registrations", {
      idporten: { clients: [{ client_id: "added", client_secret: "secret-of-added" }] },
    });
    assert.equal(added.status, 200);
    assert.equal(idp.registrations().idporten.clients.length, 6);
    const wrong = await control("PUT", "/registrations", {
      idporten: { clients: [{ client_id: "x", redirect_uri: "typo" }] },
    });
    assert.equal(wrong.status, 400);
    assert.match(JSON.stringify(wrong.body["problems"]), /idporten\.clients\.0/);
    const tenant = await control("PATCH", "/registrations", {
      entra: { applications: [{ client_id: ids.snoop, name: "a:b:c", tenant: "nowhere.example" }] },
    });
    assert.match(JSON.stringify(tenant.body["problems"]), /there is no tenant nowhere\.example/);
    assert.equal(idp.registrations().idporten.clients.length, 6);
    await control("PUT", "/registrations", before);
    assert.equal(idp.registrations().idporten.clients.length, 5);
  });

  test("is not for web pages: no Origin, no cross-site request, only JSON", async () => {
    assert.equal(
      (await control("POST", "/faults", { effect: "drop" }, { origin: "https://evil.example" })).status,
      403,
    );
    assert.equal(
      (await control("GET", "/registrations", undefined, { "sec-fetch-site": "cross-site" })).status,
      403,
    );
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "rebound.example" };
      get(`${idp.urls.control}/registrations`, { headers, agent: false }, (incoming) =>
        resolve(incoming.resume().statusCode),
      ).on("error", reject);
    });
    assert.equal(rebound, 403);
    const form = await fetch(`${idp.urls.control}/faults`, {
      method: "POST",
      body: '{"effect":"drop"}',
      headers: { "content-type": "text/plain" },
    });
    assert.equal(form.status, 400);
    assert.deepEqual(idp.faults(), []);
  });

  test("issues tokens for tests, of every provider, that verify by its JWKS", async () => {
    const orders = [
      {
        order: {
          provider: "idporten",
          persona: "ola",
          client_id: "portal",
          audience: "https://platform.example",
        },
        jwks: `${idp.urls.idporten}/jwks.json`,
        issuer: idp.issuers.idporten,
        expect: {
          pid: "03919140118",
          acr: "idporten-loa-substantial",
          aud: "https://platform.example",
          client_id: "portal",
        },
      },
      {
        order: { provider: "idporten", token: "id_token", client_id: "portal", claims: { nonce: "n" } },
        jwks: `${idp.urls.idporten}/jwks.json`,
        issuer: idp.issuers.idporten,
        expect: { aud: "portal", nonce: "n", pid: "17858430038" },
      },
      {
        order: {
          provider: "entra",
          persona: "anna",
          client_id: ids.frontend,
          audience: "api://local.benefits.case-api",
          claims: { groups: null },
        },
        jwks: `${idp.urls.entra}/common/discovery/v2.0/keys`,
        issuer: idp.issuers.entra,
        expect: { aud: ids.api, azp: ids.frontend, NAVident: "Z990001", groups: undefined },
      },
      {
        order: {
          provider: "entra",
          client_id: ids.frontend,
          audience: ids.api,
          claims: { roles: ["admin"] },
        },
        jwks: `${idp.urls.entra}/common/discovery/v2.0/keys`,
        issuer: idp.issuers.entra,
        expect: { idtyp: "app", roles: ["admin"], aud: ids.api },
      },
      {
        order: {
          provider: "maskinporten",
          client_id: "payout",
          scope: "tax:income.read",
          audience: "https://tax.example",
        },
        jwks: `${idp.urls.maskinporten}/jwk`,
        issuer: idp.issuers.maskinporten,
        expect: { scope: "tax:income.read", aud: "https://tax.example" },
      },
    ];
    for (const { order, jwks, issuer, expect } of orders) {
      const { body } = await control("POST", "/tokens", order);
      const { payload } = await jwtVerify(String(body["token"]), createRemoteJWKSet(new URL(jwks)), {
        issuer,
      });
      for (const [name, value] of Object.entries(expect)) assert.deepEqual(payload[name], value, name);
    }
    const expired = decodeJwt(await idp.issue({ provider: "idporten", expiresIn: -60 }));
    assert.ok((expired.exp ?? 0) < now());
    assert.equal((await control("POST", "/tokens", { provider: "idporten", persona: "nobody" })).status, 400);
  });

  test("a fault strikes once, where and whom it was ordered for, and no other test", async () => {
    idp.fail({ effect: "error", provider: "maskinporten", error: "invalid_grant", test: "mine" });
    assert.equal((await appToken({ "x-standin-test": "mine" })).status, 200, "another provider");
    assert.equal((await grant({ "x-standin-test": "other" })).status, 200, "another test");
    const struck = await grant({ "x-standin-test": "mine" });
    assert.equal(struck.body["error"], "invalid_grant");
    assert.equal((await grant({ "x-standin-test": "mine" })).status, 200, "only once");
    idp.fail({ effect: "error", client_id: ids.frontend });
    assert.equal((await grant()).status, 200, "another client");
    assert.equal((await appToken()).status, 400);
  });

  const requestFaults: { fault: FaultOrder; seen: (response: Promise<Response>) => Promise<void> }[] = [
    {
      fault: { effect: "rate_limit", retry_after_seconds: 7 },
      seen: async (response) => {
        const answer = await response;
        assert.equal(answer.status, 429);
        assert.equal(answer.headers.get("retry-after"), "7");
      },
    },
    {
      fault: { effect: "error", error: "temporarily_unavailable", status: 503 },
      seen: async (response) => assert.equal((await response).status, 503),
    },
    {
      fault: { effect: "down" },
      seen: async (response) => assert.match(await (await response).text(), /^<html>/),
    },
    {
      fault: { effect: "drop" },
      seen: async (response) => assert.rejects(async () => (await response).text()),
    },
    {
      fault: { effect: "slow", delay_ms: 30 },
      seen: async (response) => {
        const start = performance.now();
        assert.equal((await response).status, 200);
        assert.ok(performance.now() - start >= 25);
      },
    },
  ];
  for (const { fault, seen } of requestFaults) {
    test(`${fault.effect}, at the JWKS`, async () => {
      idp.fail({ ...fault, provider: "idporten", endpoint: "jwks" });
      await seen(fetch(`${idp.urls.idporten}/jwks.json`));
      assert.equal((await fetch(`${idp.urls.idporten}/jwks.json`)).status, 200);
    });
  }
  test("hang: nothing comes until the client gives up", async () => {
    idp.fail({ effect: "hang", provider: "idporten", endpoint: "metadata" });
    await assert.rejects(
      fetch(`${idp.urls.idporten}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(50) }),
      { name: "TimeoutError" },
    );
  });

  const signatureFaults: { effect: FaultOrder["effect"]; refused: { code: string } | { claim: string } }[] = [
    { effect: "unpublished_key", refused: { code: "ERR_JWKS_NO_MATCHING_KEY" } },
    { effect: "bad_signature", refused: { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" } },
    { effect: "wrong_audience", refused: { claim: "aud" } },
    { effect: "wrong_issuer", refused: { claim: "iss" } },
    { effect: "expired", refused: { code: "ERR_JWT_EXPIRED" } },
    { effect: "not_yet_valid", refused: { claim: "nbf" } },
    { effect: "clock_offset", refused: { code: "ERR_JWT_EXPIRED" } },
  ];
  for (const { effect, refused } of signatureFaults) {
    test(`${effect}: the next token is refused by an independent verifier, the one after is good`, async () => {
      idp.fail({ effect, provider: "entra", client_id: ids.frontend, offset_seconds: -7200 });
      const keys = createRemoteJWKSet(new URL(`${idp.urls.entra}/common/discovery/v2.0/keys`));
      const verify = async () =>
        jwtVerify(String((await appToken()).body["access_token"]), keys, {
          issuer: idp.issuers.entra,
          audience: ids.api,
        });
      await assert.rejects(verify, refused);
      await verify();
    });
  }

  test("rotated keys: the old one stays published, unless it is forgotten", async () => {
    const token = await idp.issue({ provider: "idporten" });
    const verify = (jwt: string) =>
      jwtVerify(jwt, createRemoteJWKSet(new URL(`${idp.urls.idporten}/jwks.json`)));
    const { body } = await control("POST", "/keys/rotate", { provider: "idporten" });
    const next = await idp.issue({ provider: "idporten" });
    assert.equal((await verify(next)).protectedHeader.kid, body["kid"]);
    await verify(token);
    await control("POST", "/keys/rotate", { provider: "idporten", forget: true });
    await assert.rejects(verify(next), { code: "ERR_JWKS_NO_MATCHING_KEY" });
  });

  test("every stand-in has keys of its own", async () => {
    const kids = await Promise.all(
      [
        `${idp.urls.idporten}/jwks.json`,
        `${idp.urls.entra}/common/discovery/v2.0/keys`,
        `${idp.urls.maskinporten}/jwk`,
      ].map(async (url) => {
        const { keys } = (await (await fetch(url)).json()) as { keys: Record<string, string>[] };
        for (const key of keys) {
          assert.equal(key["use"], "sig");
          assert.equal(key["alg"], "RS256");
          assert.equal("d" in key, false, "no private key is published");
        }
        return keys.map((key) => key["kid"]);
      }),
    );
    assert.equal(new Set(kids.flat()).size, kids.flat().length);
  });

  test("records every request, by client and test, without secrets", async () => {
    idp.forgetRequests();
    const secret = await assertion({
      iss: "payout",
      aud: idp.issuers.maskinporten,
      scope: "tax:income.read",
    });
    await post(
      `${idp.urls.maskinporten}/token`,
      { grant_type: jwtBearer, assertion: secret },
      { "x-standin-test": "recording" },
    );
    await appToken();
    const { body } = await control("GET", "/requests?provider=maskinporten&endpoint=token&test=recording");
    const [only, ...others] = body["requests"] as Record<string, unknown>[];
    assert.equal(others.length, 0, "the token endpoint was called once");
    assert.equal(only?.["clientId"], "payout");
    assert.equal(only["status"], 200);
    assert.equal(only["grantType"], jwtBearer);
    const everything = JSON.stringify(idp.requests());
    for (const text of [secret, secret.split(".")[1] ?? "", "secret-of-frontend"])
      assert.equal(everything.includes(text), false);
    assert.match(everything, /\[masked [0-9a-f]{8}\]/);
    assert.equal(idp.requests({ client_id: ids.frontend }).length, 1);
    await control("DELETE", "/requests");
    assert.deepEqual(idp.requests(), []);
  });

  test("the clock moves for everything that a stand-in judges and signs", async () => {
    await control("PUT", "/clock", { offset_seconds: 1000 });
    const ahead = decodeJwt(await idp.issue({ provider: "idporten" }));
    assert.ok((ahead.iat ?? 0) > now() + 900);
    assert.match(String((await grant()).body["error_description"]), /MP-130/);
    await control("PUT", "/clock", { offset_seconds: 0 });
    assert.equal((await grant()).status, 200);
  });
});

describe("starting", () => {
  test("is refused where NODE_ENV is production", () => {
    assert.throws(
      () => readSettings(settings, { NODE_ENV: "production" }),
      (error) => error instanceof SettingsError && error.problems.some(({ env }) => env === "NODE_ENV"),
    );
    assert.ok(readSettings(settings, { NODE_ENV: "test" }));
  });

  test("takes under 200 ms in process, and a token on demand under 5 ms (the best of three rounds)", async () => {
    const timed = async (run: () => Promise<unknown>): Promise<number> => {
      const start = performance.now();
      await run();
      return performance.now() - start;
    };
    const starts: number[] = [];
    const issues: number[] = [];
    for (let round = 0; round < 3; round++) {
      let idp: Standins | undefined;
      starts.push(await timed(async () => (idp = await startStandins({ now, registrations }))));
      await idp?.issue({ provider: "idporten" });
      for (let i = 0; i < 20; i++) issues.push(await timed(async () => idp?.issue({ provider: "idporten" })));
      await idp?.close();
    }
    assert.ok(Math.min(...starts) < 200, `started in ${Math.min(...starts)} ms`);
    assert.ok(Math.min(...issues) < 5, `issued in ${Math.min(...issues)} ms`);
  });

  test("a refusal is one log line with the decision's explanation, and counted; no secret is in it", async () => {
    const lines: string[] = [];
    const metrics = createMetrics();
    await using idp = await startStandins({
      now,
      registrations,
      metrics,
      log: createLogger({ name: "standins", destination: { write: (line) => void lines.push(line) } }),
    });
    await post(`${idp.urls.entra}/agency.example/oauth2/v2.0/token`, {
      grant_type: "client_credentials",
      scope: "api://local.benefits.case-api/.default",
      client_id: ids.snoop,
      client_secret: "secret-of-snoop",
    });
    const refused = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === "refused");
    assert.equal(refused.length, 1);
    assert.equal(refused[0]?.["actor"], "local:benefits:snoop");
    assert.match(String(refused[0]?.["explanation"]), /does not admit local:benefits:snoop/);
    assert.equal(lines.join("").includes("secret-of-snoop"), false);
    assert.match(
      await metrics.render(),
      /portvakt_standins_answers_total\{provider="entra",endpoint="token",status="400"\} 1/,
    );
  });

  test("takes a public URL as the issuer, whatever the listener's address", async () => {
    await using idp = await startStandins({
      now,
      publicUrls: { idporten: "https://idp.localhost:8443/", maskinporten: "https://mp.localhost" },
    });
    assert.equal(idp.issuers.idporten, "https://idp.localhost:8443");
    assert.equal(idp.issuers.maskinporten, "https://mp.localhost/");
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exportJWK, generateKeyPair, jwtVerify } from "jose";
import { citizen, env as providers, now, sign, answer as keysOf } from "../../test/issuers.ts";
import { createSdk } from "../index.ts";
import type { Sdk } from "../index.ts";
import { createTokenCache } from "./token-cache.ts";

const own = await generateKeyPair("RS256", { extractable: true });
const jwk = JSON.stringify({ ...(await exportJWK(own.privateKey)), kid: "own", alg: "RS256" });
const env = {
  ...providers,
  AZURE_OPENID_CONFIG_TOKEN_ENDPOINT: "https://entra.example/token",
  AZURE_APP_JWK: jwk,
  TOKEN_X_TOKEN_ENDPOINT: "https://tokenx.example/token",
  TOKEN_X_PRIVATE_JWK: jwk,
  MASKINPORTEN_TOKEN_ENDPOINT: "https://maskinporten.example/token",
  MASKINPORTEN_CLIENT_ID: "mp-client",
  MASKINPORTEN_CLIENT_JWK: jwk,
};

interface Sent {
  readonly url: string;
  readonly form: Record<string, string>;
}
type Answer = (sent: Sent) => Response | Promise<Response>;

const good: Answer = () => Response.json({ access_token: "at", expires_in: 300, token_type: "Bearer" });

/** An SDK without a token API, what its providers were sent, and a clock that can be moved. */
function direct(answer: Answer = good, more: Partial<Parameters<typeof createSdk>[0]> = {}) {
  const sent: Sent[] = [];
  const clock = { now, steady: 0 };
  const sdk: Sdk = createSdk({
    env,
    now: () => clock.now,
    steady: () => clock.steady,
    tokens: "direct",
    fetch: async (input) => {
      assert.ok(input instanceof Request);
      if (!input.url.endsWith("/token")) return keysOf(input);
      assert.equal(input.redirect, "manual");
      const form = Object.fromEntries(new URLSearchParams(await input.text()));
      sent.push({ url: input.url, form });
      return answer({ url: input.url, form });
    },
    ...more,
  });
  return { sdk, sent, clock };
}

/** Verifies an assertion as a provider would, with jose alone. */
const verified = async (assertion: string | undefined, issuer: string, audience: string) =>
  (
    await jwtVerify(assertion ?? "", own.publicKey, {
      issuer,
      audience,
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat", "jti"],
      currentDate: new Date(now * 1000),
    })
  ).payload;

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

test("RFC 6749 section 4.4 with RFC 7523 section 2.2: client credentials at Entra ID", async () => {
  const { sdk, sent } = direct();
  const result = await sdk.requestAzureClientCredentialsToken("local:benefits:case-api");
  assert.deepEqual({ ...result }, { ok: true, token: "at", expiresIn: 300 });
  const { url, form } = sent[0]!;
  assert.equal(url, env.AZURE_OPENID_CONFIG_TOKEN_ENDPOINT);
  assert.equal(form["grant_type"], "client_credentials");
  assert.equal(form["scope"], "api://local.benefits.case-api/.default");
  const id = env.AZURE_APP_CLIENT_ID;
  const claims = await verified(form["client_assertion"], id, env.AZURE_OPENID_CONFIG_ISSUER);
  assert.equal(claims.sub, id);
});

test("on behalf of an employee at Entra ID, on behalf of a citizen at TokenX (RFC 8693 section 2.1)", async () => {
  const { sdk, sent } = direct();
  await sdk.requestAzureOboToken("user.token.azure", "api://x/.default");
  await sdk.requestTokenxOboToken("user.token.citizen", "local:benefits:income-register");
  const [azure, tokenx] = sent;
  assert.deepEqual(
    [
      azure?.form["grant_type"],
      azure?.form["requested_token_use"],
      azure?.form["assertion"],
      azure?.form["scope"],
    ],
    [jwtBearer, "on_behalf_of", "user.token.azure", "api://x/.default"],
  );
  assert.deepEqual(
    ["grant_type", "subject_token", "subject_token_type", "audience"].map((name) => tokenx?.form[name]),
    [
      "urn:ietf:params:oauth:grant-type:token-exchange",
      "user.token.citizen",
      "urn:ietf:params:oauth:token-type:jwt",
      "local:benefits:income-register",
    ],
  );
  await verified(tokenx?.form["client_assertion"], env.TOKEN_X_CLIENT_ID, env.TOKEN_X_ISSUER);
});

test("RFC 7523 section 2.1: at Maskinporten the assertion is the request, and has no sub", async () => {
  const { sdk, sent } = direct();
  await sdk.requestMaskinportenToken("tax:read tax:write", {
    resource: "https://api.example",
    authorizationDetails: [{ type: "t" }],
  });
  const { form } = sent[0]!;
  assert.deepEqual(Object.keys(form).sort(), ["assertion", "grant_type"]);
  const claims = await verified(form["assertion"], "mp-client", env.MASKINPORTEN_ISSUER);
  assert.equal(claims.sub, undefined);
  assert.deepEqual(
    [claims["scope"], claims["resource"], claims["authorization_details"]],
    ["tax:read tax:write", ["https://api.example"], [{ type: "t" }]],
  );
  assert.ok(claims.exp! - claims.iat! <= 120);
});

test("a client secret where there is no key", async () => {
  const { AZURE_APP_JWK: _jwk, ...rest } = env;
  const { sdk, sent } = direct(good, { env: { ...rest, AZURE_APP_CLIENT_SECRET: "s" } });
  await sdk.requestAzureClientCredentialsToken("x");
  assert.deepEqual(
    [sent[0]?.form["client_id"], sent[0]?.form["client_secret"]],
    [env.AZURE_APP_CLIENT_ID, "s"],
  );
});

describe("tokens are remembered", () => {
  test("until 30 s before their end, each with what is left of it; every request has an assertion of its own", async () => {
    const { sdk, sent, clock } = direct();
    const get = () => sdk.requestTokenxOboToken("u.s.er", "local:b:api");
    await get();
    clock.now += 200;
    assert.deepEqual({ ...(await get()) }, { ok: true, token: "at", expiresIn: 100 });
    assert.equal(sent.length, 1);
    clock.now += 71;
    await get();
    assert.equal(sent.length, 2);
    assert.notEqual(sent[0]?.form["client_assertion"], sent[1]?.form["client_assertion"]);
  });
  const clocks: { name: string; back: number; steady: number; left: number | undefined }[] = [
    { name: "set back an hour, nothing is left longer", back: 3600, steady: 0, left: 300 },
    { name: "set back, time goes on", back: 3600, steady: 200, left: 100 },
    { name: "set back, the token ends when it ends", back: 3600, steady: 271, left: undefined },
    { name: "a machine that slept: the steady clock stood still", back: -271, steady: 0, left: undefined },
  ];
  for (const { name, back, steady, left } of clocks) {
    test(`RFC 6749 section 5.1: expires_in is what is left, whatever the clock is set to: ${name}`, async () => {
      const { sdk, sent, clock } = direct();
      await sdk.requestAzureClientCredentialsToken("t");
      clock.now -= back;
      clock.steady += steady;
      const again = await sdk.requestAzureClientCredentialsToken("t");
      assert.ok(again.ok);
      assert.deepEqual([sent.length, again.expiresIn], left === undefined ? [2, 300] : [1, left]);
    });
  }
  test("a request that skipCache has overtaken neither replaces the newer token nor takes it away", async () => {
    for (const late of [good, () => new Response("down", { status: 503 })]) {
      const [begun, first] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let asked = 0;
      const { sdk } = direct(async (about) => {
        asked += 1;
        if (asked > 1) return Response.json({ access_token: "new", expires_in: 300, token_type: "Bearer" });
        begun.resolve();
        await first.promise;
        return late(about);
      });
      const ask = { provider: "entra_id", target: "t" } as const;
      const overtaken = sdk.getMachineToken(ask);
      await begun.promise;
      const newer = await sdk.getMachineToken({ ...ask, skipCache: true });
      first.resolve();
      await overtaken;
      const held = await sdk.getMachineToken(ask);
      assert.deepEqual([newer.ok && newer.token, held.ok && held.token, asked], ["new", "new", 2]);
    }
  });
  test("by everything that changes them", async () => {
    const { sdk, sent } = direct();
    await sdk.requestTokenxOboToken("user.a.x", "t");
    await sdk.requestTokenxOboToken("user.b.x", "t");
    await sdk.requestTokenxOboToken("user.a.x", "other");
    await sdk.requestAzureOboToken("user.a.x", "t");
    await sdk.requestMaskinportenToken("t");
    await sdk.requestMaskinportenToken("t", { resource: "r" });
    await sdk.requestMaskinportenToken("t", { authorizationDetails: [{ type: "t" }] });
    await sdk.requestAzureClientCredentialsToken("t");
    assert.equal(sent.length, 8);
  });
  test("one request, however many ask at once; a refusal is asked again", async () => {
    let answers = [Response.json({ error: "invalid_grant", error_description: "no" }, { status: 400 })];
    const { sdk, sent } = direct((about) => answers.pop() ?? good(about));
    const get = () => sdk.requestTokenxOboToken("u.s.er", "t");
    const refused = await Promise.all([get(), get(), get()]);
    assert.ok(refused.every((result) => !result.ok && result.code === "invalid_grant"));
    assert.equal(sent.length, 1);
    answers = [];
    assert.ok((await get()).ok);
    assert.equal(sent.length, 2);
  });
  test("skipCache takes a new one", async () => {
    const { sdk, sent } = direct();
    await sdk.getMachineToken({ provider: "entra_id", target: "t" });
    await sdk.getMachineToken({ provider: "entra_id", target: "t", skipCache: true });
    assert.equal(sent.length, 2);
  });
  test("the least recently used goes first", async () => {
    const cache = createTokenCache(() => () => 0, 2);
    const fetched: string[] = [];
    const get = (key: string) =>
      cache.get(
        key,
        async () => {
          fetched.push(key);
          return { ok: true, token: key, expiresIn: 100 };
        },
        { skip: false },
      );
    for (const key of ["a", "b", "a", "c", "a", "b"]) await get(key);
    assert.deepEqual(fetched, ["a", "b", "c", "b"]);
  });
});

describe("what goes wrong is a result", () => {
  const cases: { name: string; answer?: Answer; env?: Record<string, string>; code: string; says: RegExp }[] =
    [
      {
        name: "the provider's own error",
        answer: () =>
          Response.json({ error: "invalid_client", error_description: "MP-100" }, { status: 401 }),
        code: "invalid_client",
        says: /^invalid_client: MP-100$/,
      },
      { name: "a page", answer: () => new Response("<html>"), code: "bad_response", says: /not JSON/ },
      {
        name: "a redirect",
        answer: () => Response.redirect("https://evil.example"),
        code: "bad_response",
        says: /JSON/,
      },
      {
        name: "no connection",
        answer: () => Promise.reject(new TypeError("cut off")),
        code: "unreachable",
        says: /tokenx could not be reached/,
      },
      {
        name: "a token bound to a key",
        answer: () => Response.json({ access_token: "a", token_type: "DPoP", expires_in: 1 }),
        code: "bad_response",
        says: /not a bearer token/,
      },
      {
        name: "variables that are not set",
        env: { ...providers },
        code: "not_configured",
        says: /^TOKEN_X_TOKEN_ENDPOINT, TOKEN_X_PRIVATE_JWK are not set$/,
      },
      {
        name: "a key that is none",
        env: { ...env, TOKEN_X_PRIVATE_JWK: '{"secret": not json' },
        code: "not_configured",
        says: /^tokenx: TOKEN_X_PRIVATE_JWK is not a JWK$/,
      },
    ];
  for (const { name, answer, env: other, code, says } of cases) {
    test(name, async () => {
      const { sdk } = direct(answer, other && { env: other });
      const result = await sdk.requestTokenxOboToken("u.s.er", "t");
      assert.ok(!result.ok);
      assert.equal(result.code, code);
      assert.match(result.error.message, says);
      assert.doesNotMatch(`${result.error.message} ${String(result.error.cause)}`, /secret/);
    });
  }
  test("a provider by another name of its is no trouble, and the same provider", async () => {
    const { sdk, sent } = direct();
    for (const provider of ["azuread", "azure", "entra_id"] as unknown as "entra_id"[]) {
      assert.ok((await sdk.getMachineToken({ provider, target: "t" })).ok);
    }
    assert.equal(sent.length, 1);
  });
  test("a grant that the provider does not have", async () => {
    const { sdk } = direct();
    const results = [
      await sdk.getMachineToken({ provider: "idporten", target: "t" }),
      await sdk.getMachineToken({ provider: "tokenx", target: "t" }),
      await sdk.exchangeToken({ provider: "maskinporten", target: "t", userToken: "u" }),
    ];
    for (const result of results) assert.ok(!result.ok && result.code === "unsupported_grant_type");
  });
});

test("introspection is validation in this process", async () => {
  const { sdk } = direct();
  const active = await sdk.introspect(await sign(citizen, "tokenx"), "tokenx");
  assert.ok(active.ok && active.active && active.payload["pid"] === citizen["pid"]);
  const inactive = await sdk.introspect(await sign({ ...citizen, exp: now - 34 }, "tokenx"), "tokenx");
  assert.deepEqual(inactive, { ok: true, active: false, error: "the token expired 34 s ago" });
  const unset = await createSdk({ env: {}, now: () => now, tokens: "direct" }).introspect("a.b.c", "tokenx");
  assert.ok(!unset.ok && unset.code === "not_configured");
});

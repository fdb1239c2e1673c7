// What applications and platforms rely on today (peers.md section 1.2), where no other test shows it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { clientIds, startApi, until } from "./api.ts";

const tokenPath = "/api/v1/token";
const exchangePath = "/api/v1/token/exchange";
const target = "local:benefits:case-api";

test("1.2.1 line 4 and 1.2.2 line 12: exchanges that make no sense are refused in the baseline's words", async (t) => {
  await using api = await startApi();
  const rows: { name: string; body: Record<string, string>; says: string; formSays?: string }[] = [
    {
      name: "no user token",
      body: { identity_provider: "tokenx", target },
      says: "user_token: is missing",
    },
    {
      name: "an empty user token",
      body: { identity_provider: "tokenx", target, user_token: "" },
      says: "user_token: is empty",
      // RFC 6749 section 3.2: a parameter without a value counts as left out.
      formSays: "user_token: is missing",
    },
    {
      name: "Maskinporten exchanges nothing",
      body: { identity_provider: "maskinporten", target, user_token: "x" },
      says: "identity provider 'maskinporten' does not support token exchange",
    },
    {
      name: "ID-porten exchanges nothing",
      body: { identity_provider: "idporten", target, user_token: "x" },
      says: "identity provider 'idporten' does not support token exchange",
    },
  ];
  for (const { name, body, says, formSays = says } of rows) {
    await t.test(name, async () => {
      const [json, form] = [await api.post(exchangePath, body), await api.form(exchangePath, body)];
      assert.deepEqual([json.status, form.status], [400, 400]);
      assert.deepEqual(json.body, { error: "invalid_request", error_description: says });
      assert.deepEqual(form.body, { error: "invalid_request", error_description: formSays });
    });
  }
});

test("1.2.2 lines 10 and 11: a provider's code that nobody knows is passed on, with its status and all that it said", async () => {
  await using api = await startApi();
  const body = { error: "slow_moon", error_description: "the moon is slow", suberror: "x", claims: "{}" };
  api.entra.always = { status: 418, body };
  const reply = await api.post(tokenPath, { identity_provider: "entra_id", target });
  assert.equal(reply.status, 418);
  assert.deepEqual(reply.body, body);
});

test("1.2.3 line 19: the assertion's header names key and algorithm, its times are 30 s apart", async () => {
  await using api = await startApi();
  await api.post(tokenPath, { identity_provider: "entra_id", target });
  const { form, assertion } = api.entra.received[0]!;
  const { alg, kid } = decodeProtectedHeader(form.get("client_assertion")!);
  assert.deepEqual({ alg, kid }, { alg: "RS256", kid: "client-RS256" });
  const { iat, nbf, exp } = assertion!;
  assert.deepEqual([nbf, exp! - iat!], [iat, 30]);
});

test("1.2.7 line 42: the metadata is fetched only for what is not given directly", async (t) => {
  const rows = [
    { name: "everything is given", env: ["ISSUER", "JWKS_URI", "TOKEN_ENDPOINT"], fetches: 0 },
    { name: "the token endpoint is not", env: ["ISSUER", "JWKS_URI"], fetches: 1 },
    { name: "the issuer is not", env: ["JWKS_URI", "TOKEN_ENDPOINT"], fetches: 1 },
  ];
  for (const { name, env, fetches } of rows) {
    await t.test(name, async () => {
      const given: Record<string, string> = {};
      await using api = await startApi({
        env: given,
        before: ({ entra: { issuer, origin } }) => {
          const all = { ISSUER: issuer, JWKS_URI: `${origin}/jwks`, TOKEN_ENDPOINT: `${origin}/token` };
          for (const [end, value] of Object.entries(all))
            if (env.includes(end)) given[`AZURE_OPENID_CONFIG_${end}`] = value;
        },
      });
      await until(async () => (await api.ready()).ready);
      assert.equal((await api.post(tokenPath, { identity_provider: "azuread", target })).status, 200);
      assert.equal(api.entra.metadataFetches, fetches);
    });
  }
});

test("1.2.4 line 21: iat is required", async () => {
  await using api = await startApi();
  const claims = { iss: api.entra.issuer, aud: clientIds.entra, azp: "caller" };
  const token = await api.entra.sign({ ...claims, exp: api.clock.seconds + 60 });
  const { body } = await api.post("/api/v1/introspect", { identity_provider: "azuread", token });
  assert.equal(body["active"], false);
  assert.match(String(body["error"]), /has no iat/);
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SettingsError } from "@portvakt/runtime/config";
import { clientKey, startApi, type Api } from "./api.ts";
import { startDouble } from "./double.ts";

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tokens-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("any other provider by configuration: machine tokens, exchange and introspection", async (t) => {
  const folder = await folderFor(t);
  const key = await clientKey("ES256");
  const clock = { seconds: Math.floor(Date.now() / 1000) };
  const other = await startDouble({ now: () => clock.seconds, clientKeys: [key.publicJwk] });
  t.after(() => other.close());
  await writeFile(join(folder, "jwk.json"), JSON.stringify(key.privateJwk));
  await writeFile(join(folder, "secret"), "s3cret\n");
  const common = { well_known_url: other.wellKnown, audience: "https://me.example", client_id: "me" };
  const withKey = { ...common, client_jwk_file: join(folder, "jwk.json") };
  const providers = [
    { ...withKey, name: "plain", token: "client_credentials", exchange: "token_exchange" },
    { ...withKey, name: "granting", token: "jwt_grant", exchange: "on_behalf_of" },
    { ...common, name: "secretive", token: "client_credentials", client_secret_file: join(folder, "secret") },
    { well_known_url: other.wellKnown, audience: "https://me.example", name: "receiving" },
  ];
  await using api = await startApi({ clock, env: { PORTVAKT_TOKENS_PROVIDERS: JSON.stringify(providers) } });
  const ask = async (path: string, body: Record<string, unknown>) => {
    const reply = await api.post(path, body);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return other.received.at(-1)!;
  };
  await t.test("client credentials, signed with ES256", async () => {
    const { form, assertion } = await ask("/api/v1/token", {
      identity_provider: "plain",
      target: "read write",
    });
    assert.equal(form.get("scope"), "read write");
    assert.equal(assertion?.sub, "me");
  });
  await t.test("RFC 7523 section 2.1: a JWT grant", async () => {
    const { form, assertion } = await ask("/api/v1/token", { identity_provider: "granting", target: "read" });
    assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert.equal(form.get("scope"), "read");
    assert.equal(assertion?.iss, "me");
  });
  await t.test("a client secret from a file", async () => {
    const { form } = await ask("/api/v1/token", { identity_provider: "secretive", target: "read" });
    assert.equal(form.get("client_secret"), "s3cret");
  });
  await t.test("RFC 8693 section 2.1: exchange, also of a by-reference token", async () => {
    const { form } = await ask("/api/v1/token/exchange", {
      identity_provider: "plain",
      target: "api",
      user_token: "opaque",
    });
    assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
    assert.equal(form.get("subject_token"), "opaque");
  });
  await t.test("on behalf of", async () => {
    const user_token = await other.sign({ exp: api.clock.seconds + 60 });
    const { form } = await ask("/api/v1/token/exchange", {
      identity_provider: "granting",
      target: "api",
      user_token,
    });
    assert.equal(form.get("requested_token_use"), "on_behalf_of");
  });
  await t.test("introspection, also without an identity of one's own", async () => {
    const times = { iat: api.clock.seconds, exp: api.clock.seconds + 60 };
    const token = await other.sign({ iss: other.issuer, aud: "https://me.example", ...times });
    const reply = await api.post("/api/v1/introspect", { identity_provider: "receiving", token });
    assert.equal(reply.body["active"], true);
  });
  await t.test("what was not configured is not supported", async () => {
    const reply = await api.post("/api/v1/token", { identity_provider: "receiving", target: "x" });
    assert.equal(
      reply.body["error_description"],
      "identity provider 'receiving' does not support token requests",
    );
  });
});

test("configured providers that make no sense are refused at the start", async (t) => {
  const rows = [
    { name: "no list", value: "{}", says: /expected array/ },
    { name: "a name that is built in", value: '[{"name":"azuread"}]', says: /built in/ },
    { name: "a misspelt member", value: '[{"name":"a","wellknown":"x"}]', says: /Unrecognized key/ },
    {
      name: "HMAC",
      value: '[{"name":"a","algorithms":["HS256"]}]',
      says: /not an asymmetric signature algorithm/,
    },
    {
      name: "none",
      value: '[{"name":"a","algorithms":["none"]}]',
      says: /not an asymmetric signature algorithm/,
    },
    { name: "twice the same", value: '[{"name":"a"},{"name":"a"}]', says: /names a twice/ },
    {
      name: "a file that is not there",
      value: '[{"name":"a","client_jwk_file":"/nowhere"}]',
      says: /cannot be read/,
    },
    {
      name: "nowhere to be found",
      value: '[{"name":"a","audience":"x"}]',
      says: /provider 'a': set well_known_url/,
    },
    {
      name: "for nobody",
      value: '[{"name":"a","well_known_url":"http://localhost:1"}]',
      says: /set audience/,
    },
  ];
  for (const { name, value, says } of rows) {
    await t.test(name, () =>
      assert.rejects(startApi({ env: { PORTVAKT_TOKENS_PROVIDERS: value } }), (error: unknown) => {
        assert.ok(error instanceof SettingsError);
        assert.match(error.message, says);
        return true;
      }),
    );
  }
});

test("RFC 7523 section 2.2: a projected workload token is the client's assertion, read anew for each request", async (t) => {
  const folder = await folderFor(t);
  const path = join(folder, "token");
  const workload = await clientKey("RS256");
  const clock = { seconds: Math.floor(Date.now() / 1000) };
  const platform = await startDouble({ now: () => clock.seconds, clientKeys: [] });
  t.after(() => platform.close());
  // The double trusts the platform's key, as a provider with a federated credential does.
  const write = async (api: Api, sub: string) =>
    writeFile(path, `${await platform.sign({ sub, aud: api.entra.issuer, jti: sub })}\n`);
  await writeFile(path, "not yet written");
  await using api = await startApi({
    key: { ...workload, publicJwk: platform.publicJwk },
    env: { AZURE_APP_JWK: "", NAIS_SERVICE_ACCOUNT_TOKEN_PATH: path },
  });
  const ask = { identity_provider: "entra_id", target: "local:benefits:case-api", skip_cache: true };
  for (const sub of ["system:serviceaccount:team:one", "system:serviceaccount:team:two"]) {
    await write(api, sub);
    assert.equal((await api.post("/api/v1/token", ask)).status, 200);
    const { form, assertion } = api.entra.received.at(-1)!;
    assert.equal(assertion?.sub, sub);
    assert.equal(form.get("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  }
  await writeFile(path, "\n");
  assert.match(String((await api.post("/api/v1/token", ask)).body["error_description"]), /it is empty/);
  await rm(path);
  const lost = await api.post("/api/v1/token", ask, { "x-request-id": "click-1" });
  const { error_description, hint, ...rest } = lost.body;
  assert.equal(lost.status, 500);
  assert.deepEqual(rest, { error: "server_error", owner: "platform", correlation_id: "click-1" });
  assert.match(String(error_description), /the workload's token, .* cannot be read/);
  assert.match(String(hint), /PORTVAKT_TOKENS_WORKLOAD_TOKEN_PATH/);
  assert.doesNotMatch(JSON.stringify(lost.body), new RegExp(folder));
  const line = api.logLines.find((one) => one.includes('"click-1"')) ?? "";
  assert.match(line, /"level":"error".*WorkloadTokenUnreadable.*ENOENT/);
});

test("RFC 9068 section 2.2: where the audience is the client ID, as in ID tokens, an access token is one that says so", async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, "secret"), "s3cret");
  const clock = { seconds: Math.floor(Date.now() / 1000) };
  const other = await startDouble({ now: () => clock.seconds, clientKeys: [] });
  t.after(() => other.close());
  const at = { well_known_url: other.wellKnown, client_secret_file: join(folder, "secret") };
  const providers = [
    { ...at, name: "by_default", client_id: "me" },
    { ...at, name: "said_so", client_id: "me", audience: "me" },
    { ...at, name: "apart", client_id: "other", audience: "me" },
  ];
  await using api = await startApi({ clock, env: { PORTVAKT_TOKENS_PROVIDERS: JSON.stringify(providers) } });
  const times = { iat: clock.seconds, exp: clock.seconds + 60, auth_time: clock.seconds };
  const idToken = { iss: other.issuer, aud: "me", sub: "user", azp: "me", email: "u@example.com", ...times };
  const rows = [
    { name: "an ID token", token: await other.sign(idToken), active: false },
    { name: "typ at+jwt", token: await other.sign(idToken, { typ: "at+jwt" }), active: true },
    { name: "client_id", token: await other.sign({ ...idToken, client_id: "c" }), active: true },
    { name: "scope", token: await other.sign({ ...idToken, scope: "openid" }), active: true },
    { name: "scp", token: await other.sign({ ...idToken, scp: ["openid"] }), active: true },
  ];
  for (const { name, token, active } of rows) {
    await t.test(name, async () => {
      const judged = async (identity_provider: string) =>
        (await api.post("/api/v1/introspect", { identity_provider, token })).body;
      for (const provider of ["by_default", "said_so"]) {
        const body = await judged(provider);
        assert.equal(body["active"], active);
        if (!active) assert.match(String(body["error"]), /may be an ID token/);
      }
      assert.equal((await judged("apart"))["active"], true, "its ID tokens have another audience");
    });
  }
});

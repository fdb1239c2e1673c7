// The weak points of the baseline (peers.md section 4.3), each as the test that fails where it is still one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { clientIds, clientKey, startApi, until, type Api } from "./api.ts";

const target = "local:benefits:case-api";
const entraAsk = { identity_provider: "entra_id", target };
const tokenPath = "/api/v1/token";
const introspectPath = "/api/v1/introspect";

async function token(
  api: Api,
  claims: Record<string, unknown> = {},
  header?: Record<string, unknown>,
): Promise<string> {
  const at = api.clock.seconds;
  return api.entra.sign(
    { iss: api.entra.issuer, aud: clientIds.entra, iat: at, exp: at + 600, azp: "caller", ...claims },
    header,
  );
}

test("weak point 1, algorithms: a client may sign with RS, PS, ES or EdDSA", async (t) => {
  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
    await t.test(alg, async () => {
      const key = await clientKey(alg);
      await using api = await startApi({ key });
      assert.equal((await api.post(tokenPath, entraAsk)).status, 200);
      const { form, assertion } = api.entra.received[0]!;
      assert.equal(decodeProtectedHeader(form.get("client_assertion")!).alg, alg);
      assert.equal(assertion?.sub, clientIds.entra, "the double verified it");
    });
  }
});

test("weak point 2, unknown kid: a flood of garbage causes at most one key fetch in 5 s, and others do not wait", async () => {
  await using api = await startApi();
  await until(async () => (await api.ready()).ready);
  const before = api.entra.keyFetches;
  api.clock.seconds += 60;
  const right = await token(api);
  const garbage = await Promise.all(
    Array.from({ length: 100 }, (_, n) => token(api, {}, { kid: `garbage-${n}` })),
  );
  const replies = await Promise.all(
    [...garbage, right].map((one) => api.post(introspectPath, { identity_provider: "entra_id", token: one })),
  );
  assert.equal(replies.filter(({ body }) => body["active"] === true).length, 1);
  assert.equal(api.entra.keyFetches, before + 1);
  api.clock.seconds += 4;
  await api.post(introspectPath, { identity_provider: "entra_id", token: garbage[0] });
  assert.equal(api.entra.keyFetches, before + 1);
  api.clock.seconds += 2;
  await api.post(introspectPath, { identity_provider: "entra_id", token: garbage[1] });
  assert.equal(api.entra.keyFetches, before + 2);
});

test("weak point 2, key rotation: a token by a new key is accepted at once", async () => {
  await using api = await startApi();
  await until(async () => (await api.ready()).ready);
  api.clock.seconds += 10;
  await api.entra.rotate();
  const reply = await api.post(introspectPath, { identity_provider: "entra_id", token: await token(api) });
  assert.equal(reply.body["active"], true);
});

test("weak point 3, retries: each attempt has an assertion of its own, and pauses grow", async (t) => {
  for (const provider of ["maskinporten", "entra_id"] as const) {
    await t.test(provider, async () => {
      await using api = await startApi();
      const double = provider === "maskinporten" ? api.maskinporten : api.entra;
      // The double accepts each jti once, and takes the request before it fails.
      double.tokenTroubles.push("reset", { status: 500, body: "oops" });
      const reply = await api.post(tokenPath, { identity_provider: provider, target: "nav:thing" });
      assert.equal(reply.status, 200);
      assert.equal(new Set(double.received.map(({ assertion }) => assertion?.jti)).size, 3);
      assert.deepEqual(api.pauses, [0.1, 0.2]);
    });
  }
});

test("weak point 3, final refusals are never tried again, and soon repeated without asking", async () => {
  await using api = await startApi();
  const refusal = {
    error: "invalid_grant",
    error_description: "AADSTS501051: Application 'x' (local:benefits:snoop) is not assigned to a role",
  };
  api.entra.always = { status: 400, body: refusal };
  const first = await api.post(tokenPath, entraAsk);
  assert.equal(first.status, 400);
  assert.equal(api.entra.received.length, 1);
  assert.deepEqual((await api.post(tokenPath, entraAsk)).body, first.body);
  assert.equal(api.entra.received.length, 1);
  await api.post(tokenPath, { ...entraAsk, skip_cache: true });
  assert.equal(api.entra.received.length, 2);
  api.clock.seconds += 6;
  api.entra.always = undefined;
  assert.equal((await api.post(tokenPath, entraAsk)).status, 200);
});

test("weak point 4, slow providers: one that takes 1.5 s works, and one that takes longer than a caller waits is served at the next call", async () => {
  await using api = await startApi({ env: { PORTVAKT_TOKENS_PATIENCE: "300ms" } });
  api.entra.tokenTroubles.push({ delayMs: 700 });
  const first = await api.post(tokenPath, entraAsk);
  assert.equal(first.status, 503);
  assert.equal(first.headers.get("retry-after"), "1");
  await until(async () => (await api.post(tokenPath, entraAsk)).status === 200);
  assert.equal(api.entra.received.length, 1, "the request went on, and was the only one");
});

test("weak point 5, an error without description keeps its status", async () => {
  await using api = await startApi();
  api.entra.always = { status: 401, body: { error: "invalid_client" } };
  const reply = await api.post(tokenPath, entraAsk);
  assert.equal(reply.status, 401);
  assert.equal(reply.body["error"], "invalid_client");
  assert.equal(typeof reply.body["error_description"], "string");
});

test("weak point 7, an outage at start: the API starts, serves the other providers, and recovers", async () => {
  await using api = await startApi({
    before: ({ entra }) => {
      entra.metadataTrouble = { status: 503 };
    },
  });
  await until(() => api.entra.metadataFetches > 0 && api.tokenx.keyFetches > 0);
  assert.equal((await api.ready()).ready, false);
  assert.equal((await api.ready()).checks["entra_id"]?.ok, false);
  assert.equal(
    (await api.post(tokenPath, { identity_provider: "maskinporten", target: "nav:thing" })).status,
    200,
  );
  const down = await api.post(tokenPath, entraAsk);
  assert.equal(down.status, 503);
  assert.equal(down.body["error"], "temporarily_unavailable");
  const unknown = await api.post(introspectPath, { identity_provider: "entra_id", token: await token(api) });
  assert.match(String(unknown.body["error"]), /Entra ID cannot be reached/);
  api.clock.seconds += 16;
  assert.equal((await api.ready()).ready, true, "after a while the others are not kept waiting");
  api.entra.metadataTrouble = undefined;
  api.clock.seconds += 2;
  assert.equal((await api.post(tokenPath, entraAsk)).status, 200);
  assert.equal(
    (await api.post(introspectPath, { identity_provider: "entra_id", token: await token(api) })).body[
      "active"
    ],
    true,
  );
});

test("weak point 8, metrics can be read, and hold no names of callers", async () => {
  await using api = await startApi();
  await api.post(tokenPath, entraAsk);
  await api.post(tokenPath, entraAsk);
  await api.post(introspectPath, { identity_provider: "entra_id", token: await token(api) });
  await until(async () => (await api.metrics()).includes('result="active"} 1'));
  const text = await api.metrics();
  assert.match(text, /portvakt_tokens_cache_total\{provider="entra_id",source="hit"\} 1/);
  assert.match(text, /portvakt_tokens_cache_total\{provider="entra_id",source="miss"\} 1/);
  assert.match(text, /portvakt_tokens_introspections_total\{provider="entra_id",result="active"\} 1/);
  assert.match(text, /portvakt_tokens_requests_total\{path="\/api\/v1\/token",status="200"\} 2/);
  assert.match(text, /portvakt_tokens_provider_seconds_count\{provider="entra_id",outcome="ok"\} 1/);
  assert.doesNotMatch(text, /case-api|eyJ/);
});

test("weak point 10, AADSTS codes are translated, with the manifest line to change", async () => {
  await using api = await startApi();
  const description =
    "AADSTS501051: Application '3a5f' (local:benefits:snoop) is not assigned to a role for the application 'api://local.benefits.case-api'.";
  api.entra.always = {
    status: 400,
    body: { error: "invalid_grant", error_description: description, error_codes: [501051], trace_id: "t" },
  };
  const { status, body } = await api.post(tokenPath, entraAsk);
  assert.equal(status, 400);
  assert.deepEqual(body, {
    error: "invalid_grant",
    error_description: description,
    error_codes: [501051],
    trace_id: "t",
    error_uri: "https://login.microsoftonline.com/error?code=501051",
    hint: 'the target does not admit this application. In the manifest of local:benefits:case-api, under spec.accessPolicy.inbound.rules: add "- application: snoop", "namespace: benefits", "cluster: local"',
    hint_code: "AADSTS501051",
    owner: "target",
  });
});

test("weak point 11, client secret: used when there is no key", async () => {
  await using api = await startApi({ env: { AZURE_APP_JWK: "", AZURE_APP_CLIENT_SECRET: "s3cret" } });
  assert.equal((await api.post(tokenPath, entraAsk)).status, 200);
  const { form } = api.entra.received[0]!;
  assert.equal(form.get("client_secret"), "s3cret");
  assert.equal(form.has("client_assertion"), false);
});

test("weak point 12, a token that is renewed in the background ends when the provider now refuses", async () => {
  await using api = await startApi();
  assert.equal((await api.post(tokenPath, entraAsk)).status, 200);
  api.entra.always = {
    status: 400,
    body: { error: "invalid_grant", error_description: "AADSTS501051: no longer" },
  };
  api.clock.seconds += 3000;
  assert.equal((await api.post(tokenPath, entraAsk)).status, 200, "handed out while it is renewed");
  await until(async () => (await api.post(tokenPath, entraAsk)).status === 400);
});

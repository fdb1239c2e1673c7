import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify } from "jose";
import { SettingsError } from "@portvakt/runtime/config";
import { startApi, type Api } from "./api.ts";

const env = { PORTVAKT_TOKENS_DPOP_PROVIDERS: "entra_id" };
const ask = { identity_provider: "entra_id", target: "local:benefits:case-api" };

/** The nonces of the proofs that Entra ID got. */
const nonces = ({ entra }: Api): unknown[] =>
  entra.received.map(({ headers }) => decodeJwt(String(headers["dpop"]))["nonce"]);

test("RFC 9449 section 5: the token is bound to the key, and another provider's is not", async () => {
  await using api = await startApi({ env });
  const bound = await api.post("/api/v1/token", ask);
  assert.equal(bound.status, 200);
  assert.equal(bound.body["token_type"], "DPoP");
  assert.equal((await api.post("/api/v1/token", ask)).body["token_type"], "DPoP");
  const plain = await api.post("/api/v1/token", { identity_provider: "maskinporten", target: "nav:thing" });
  assert.equal(plain.body["token_type"], "Bearer");
  assert.equal(api.maskinporten.received[0]!.headers["dpop"], undefined);
});

test("RFC 9449 section 4.2: the proof for a request is by the key that the token is bound to", async () => {
  await using api = await startApi({ env });
  const { body } = await api.post("/api/v1/token", ask);
  const token = String(body["access_token"]);
  const request = {
    method: "GET",
    url: "https://api.example/cases?id=1#top",
    access_token: token,
    nonce: "n",
  };
  const made = await api.post("/api/v1/dpop-proof", request);
  const at = new Date(api.clock.seconds * 1000);
  const { payload, protectedHeader } = await jwtVerify(String(made.body["proof"]), EmbeddedJWK, {
    typ: "dpop+jwt",
    currentDate: at,
  });
  const { jti, ...claims } = payload;
  assert.deepEqual(claims, {
    htm: "GET",
    htu: "https://api.example/cases",
    iat: api.clock.seconds,
    ath: createHash("sha256").update(token).digest("base64url"),
    nonce: "n",
  });
  assert.ok(!("d" in protectedHeader.jwk!));
  assert.deepEqual(decodeJwt(token)["cnf"], { jkt: await calculateJwkThumbprint(protectedHeader.jwk!) });
  const second = await api.post("/api/v1/dpop-proof", request);
  assert.notEqual(decodeJwt(String(second.body["proof"])).jti, jti);
});

test("RFC 9449 section 8: a nonce that the provider asks for is in the next request, at once and also where nothing is retried", async () => {
  await using api = await startApi({ env: { ...env, PORTVAKT_TOKENS_RETRIES: "0" } });
  api.entra.dpopNonce = "one";
  assert.equal((await api.post("/api/v1/token", ask)).status, 200);
  assert.deepEqual(nonces(api), [undefined, "one"]);
  assert.deepEqual(api.pauses, []);
  assert.equal(new Set(api.entra.received.map(({ assertion }) => assertion?.jti)).size, 2);
  await api.post("/api/v1/token", { ...ask, target: "local:benefits:other" });
  assert.deepEqual(nonces(api), [undefined, "one", "one"], "it is remembered");
  api.entra.dpopNonce = "two";
  assert.equal((await api.post("/api/v1/token", { ...ask, skip_cache: true })).status, 200);
  assert.deepEqual(nonces(api).slice(3), ["one", "two"]);
});

test("RFC 9449 section 8.2: a nonce that comes with a token is in the next request", async () => {
  await using api = await startApi({ env });
  const token = await api.entra.sign({});
  const body = { access_token: token, token_type: "DPoP", expires_in: 60 };
  api.entra.tokenTroubles.push({ status: 200, body, headers: { "dpop-nonce": "early" } });
  await api.post("/api/v1/token", ask);
  api.entra.dpopNonce = "early";
  assert.equal((await api.post("/api/v1/token", { ...ask, skip_cache: true })).status, 200);
  assert.deepEqual(nonces(api), [undefined, "early"]);
});

test("RFC 9449 section 8: a provider that is never content with a nonce is asked twice, and is not taken at its word for long", async () => {
  await using api = await startApi({ env });
  const body = { error: "use_dpop_nonce", error_description: "another one" };
  api.entra.always = { status: 400, body, headers: { "dpop-nonce": "n" } };
  const reply = await api.post("/api/v1/token", ask);
  assert.equal(reply.status, 400);
  assert.equal(reply.body["error"], "use_dpop_nonce");
  assert.equal(api.entra.received.length, 2);
  api.entra.always = undefined;
  api.entra.dpopNonce = "n";
  assert.equal((await api.post("/api/v1/token", ask)).status, 200, "no final refusal was remembered");
});

test("RFC 9449 section 8.1: what is no nonce is not repeated", async () => {
  await using api = await startApi({ env });
  const headers = { "dpop-nonce": 'a "quoted" thing' };
  api.entra.tokenTroubles.push({ status: 400, body: { error: "use_dpop_nonce" }, headers });
  assert.equal((await api.post("/api/v1/token", ask)).status, 200);
  assert.deepEqual(nonces(api), [undefined, undefined]);
});

test("RFC 9449 section 5: a bearer token where a bound one was asked for is refused", async () => {
  await using api = await startApi({ env });
  api.entra.always = { status: 200, body: { access_token: "a", token_type: "Bearer", expires_in: 60 } };
  const reply = await api.post("/api/v1/token", ask);
  assert.equal(reply.status, 503);
});

test("a proof request that makes no sense is refused, and without bound tokens there is no such endpoint", async (t) => {
  await using api = await startApi({ env });
  const rows = [
    { name: "no method", body: { url: "https://a.example" } },
    { name: "a method in small letters", body: { method: "get", url: "https://a.example" } },
    { name: "no web address", body: { method: "GET", url: "file:///etc/passwd" } },
  ];
  for (const { name, body } of rows) {
    await t.test(name, async () => assert.equal((await api.post("/api/v1/dpop-proof", body)).status, 400));
  }
  await using other = await startApi();
  assert.equal(
    (await other.post("/api/v1/dpop-proof", { method: "GET", url: "https://a.example" })).status,
    404,
  );
});

test("a provider that is not enabled cannot have its tokens bound", async () => {
  await assert.rejects(
    startApi({ env: { PORTVAKT_TOKENS_DPOP_PROVIDERS: "entra_id,nobody" } }),
    SettingsError,
  );
});

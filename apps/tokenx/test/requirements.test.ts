/** What specifications ask of the server as a whole: its metadata, the form of its tokens and of its answers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { party, platform } from "./platform.ts";
import type { Platform } from "./platform.ts";

const portal = "local:r:portal";
const api = "local:r:api";
let on: Platform;
let url: string;
before(async () => {
  on = await platform();
  url = on.running.addresses["tokenx"] ?? "";
  await on.register(portal);
  const portvakt_token = { typ: "at+jwt" };
  assert.equal((await on.register(api, { accessPolicyInbound: [portal], portvakt_token })).status, 201);
});
after(() => on.close());

const exchanged = async (more: Record<string, string> = {}, subject: Record<string, unknown> = {}) =>
  on.exchange(portal, { subject_token: await on.subjectToken(subject), audience: api, ...more });
const tokenOf = ({ body }: { body: Record<string, unknown> }): string => String(body["access_token"]);

test("RFC 8414 section 3: the metadata is JSON at the well-known place, and names this issuer to the letter", async () => {
  const response = await fetch(`${url}/.well-known/oauth-authorization-server`);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(((await response.json()) as { issuer: string }).issuer, on.issuer);
});

test("RFC 8414 section 2: every endpoint that the metadata names is there", async () => {
  const metadata = (await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()) as object;
  const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name));
  assert.equal(endpoints.length, 5);
  for (const [name, address] of endpoints) assert.notEqual((await fetch(String(address))).status, 404, name);
  for (const endpoint of ["token", "introspection", "revocation"]) {
    const methods: unknown = Reflect.get(metadata, `${endpoint}_endpoint_auth_methods_supported`);
    assert.deepEqual(methods, ["private_key_jwt"]);
  }
  const dpop: unknown = Reflect.get(metadata, "dpop_signing_alg_values_supported");
  assert.ok(
    Array.isArray(dpop) && dpop.includes("ES256") && !dpop.includes("none") && !dpop.includes("HS256"),
  );
});

test("RFC 9068 section 2.1: a target that wants them gets tokens of typ at+jwt, signed by a published key", async () => {
  const token = tokenOf(await exchanged());
  assert.deepEqual([decodeProtectedHeader(token).typ, decodeProtectedHeader(token).alg], ["at+jwt", "RS256"]);
  await jwtVerify(token, createRemoteJWKSet(new URL(`${url}/jwks`)), {
    typ: "at+jwt",
    issuer: on.issuer,
    audience: api,
    currentDate: new Date(on.clock.now * 1000),
  });
});

test("RFC 9068 section 2.2: an access token has iss, exp, aud, sub, client_id, iat and jti", async () => {
  const [one, other] = [decodeJwt(tokenOf(await exchanged())), decodeJwt(tokenOf(await exchanged()))];
  for (const name of ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
    assert.notEqual(one[name], undefined, name);
  assert.equal(one["client_id"], portal);
  assert.notEqual(one.jti, other.jti);
});

test("RFC 9068 section 2.2.1: acr, amr and auth_time are those of the sign-in", async () => {
  const signIn = { acr: "idporten-loa-high", amr: ["BankID"], auth_time: on.clock.now - 100 };
  const { acr, amr, auth_time } = decodeJwt(tokenOf(await exchanged({}, signIn)));
  assert.deepEqual({ acr, amr, auth_time }, signIn);
});

test("RFC 9068 section 3: the audience of the token is the one that was asked for", async () => {
  assert.equal(decodeJwt(tokenOf(await exchanged())).aud, api);
});

test("RFC 8693 section 2.2.1: issued_token_type is the type that was asked for, an access token where none was", async () => {
  const jwt = "urn:ietf:params:oauth:token-type:jwt";
  assert.equal((await exchanged({ requested_token_type: jwt })).body["issued_token_type"], jwt);
  const none = await exchanged();
  assert.equal(none.body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
  assert.equal("refresh_token" in none.body, false);
});

test("RFC 8693 section 4.1: the actor stands outermost, the actors before it inside, and client_id is the actor (4.3)", async () => {
  const last = "local:r:last";
  await on.register(last, { accessPolicyInbound: [api] });
  const answer = await on.exchange(api, { subject_token: tokenOf(await exchanged()), audience: last });
  const claims = decodeJwt(tokenOf(answer));
  assert.deepEqual(claims["act"], { sub: api, act: { sub: portal } });
  assert.equal(claims["client_id"], api);
});

test("RFC 7591 section 3.2.1: a registration is answered with 201, in JSON that is not cached", async () => {
  const response = await on.register("local:r:new");
  assert.equal(response.status, 201);
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(((await response.json()) as Record<string, unknown>)["client_id"], "local:r:new");
});

test("RFC 9110 section 15.5.6: another method than POST is refused, and the answer names POST", async () => {
  for (const path of ["/token", "/introspect", "/revoke"]) {
    const response = await fetch(`${url}${path}`);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
  }
});

test("the client is known before anything else, and the subject token is good before the policy is asked", async () => {
  const unknown = await exchanged({ client_assertion: "x", grant_type: "password", audience: "local:r:no" });
  assert.equal(unknown.body["error"], "invalid_client");
  const bad = await exchanged({ audience: "local:r:no" }, { exp: on.clock.now - 60 });
  assert.deepEqual([bad.body["error"], bad.body["decision_id"]], ["invalid_request", undefined]);
  const denied = await exchanged({ audience: "local:r:no" });
  assert.equal(denied.body["error"], "invalid_target");
});

test("a target with a longer name than any application has is refused, and not kept", async () => {
  const long = await exchanged({ audience: "x".repeat(60_000) });
  assert.deepEqual(
    [long.status, long.body["error"], long.body["decision_id"]],
    [400, "invalid_target", undefined],
  );
  assert.ok(!on.logged.some((line) => line.includes("xxxxxxxxxx")));
});

test("RFC 7009 section 2.1: an access token is not the client's whose key did not sign the request", async () => {
  const body = new URLSearchParams({ token: tokenOf(await exchanged()), client_id: portal });
  const response = await fetch(`${url}/revoke`, { method: "POST", body });
  assert.equal(response.status, 401);
});

for (const alg of ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"])
  test(`RFC 7523 section 3, rule 9: a client authenticates with ${alg}`, async () => {
    const id = `local:r:${alg.toLowerCase()}`;
    on.apps.set(id, await party(undefined, alg));
    assert.equal((await on.register(id)).status, 201);
    await on.register(api, { accessPolicyInbound: [portal, id], portvakt_token: { typ: "at+jwt" } });
    const answer = await on.exchange(id, { subject_token: await on.subjectToken(), audience: api });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  });

for (const alg of ["RS384", "ES384", "PS512"])
  test(`RFC 8725 section 3.1: a client does not authenticate with ${alg}, which the metadata does not name`, async () => {
    const id = `local:r:${alg.toLowerCase()}`;
    on.apps.set(id, await party(undefined, alg));
    assert.equal((await on.register(id)).status, 201);
    const answer = await on.exchange(id, { subject_token: await on.subjectToken(), audience: api });
    assert.deepEqual([answer.status, answer.body["error"]], [401, "invalid_client"]);
  });

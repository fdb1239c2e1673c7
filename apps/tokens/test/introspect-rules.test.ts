// What introspection asks of a token beyond that it is valid: whom it is for, who holds its key, and what the request requires.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSigner, generatePrivateJwk, ProtocolError } from "@portvakt/oauth";
import { createProofMaker } from "@portvakt/providers";
import { calculateJwkThumbprint, type JWTPayload } from "jose";
import { introspectRequest, parseIntrospectRequest } from "../src/schemas.ts";
import { clientIds, clientKey, startApi, type Api } from "./api.ts";

const path = "/api/v1/introspect";
type Name = "entra" | "maskinporten" | "tokenx" | "idporten";
const names = { entra: "entra_id", maskinporten: "maskinporten", tokenx: "tokenx", idporten: "idporten" };
const audiences = { ...clientIds, maskinporten: undefined, idporten: "https://benefits.example" };

async function signed(api: Api, by: Name, claims: JWTPayload): Promise<string> {
  const [aud, at] = [audiences[by], api.clock.seconds];
  const ours = { iss: api[by].issuer, iat: at, exp: at + 600, ...(aud === undefined ? {} : { aud }) };
  return api[by].sign({ ...ours, ...claims });
}

test("require idtyp: each provider's own way of telling a user from a machine, and what says neither is neither", async (t) => {
  await using api = await startApi();
  const rows: { name: string; by: Name; claims: JWTPayload; kind: "user" | "app" | undefined }[] = [
    { name: "Maskinporten", by: "maskinporten", claims: { scope: "a:b" }, kind: "app" },
    { name: "Maskinporten, about a person", by: "maskinporten", claims: { pid: "1" }, kind: "app" },
    { name: "Entra ID, idtyp", by: "entra", claims: { azp: "c", idtyp: "app" }, kind: "app" },
    { name: "Entra ID, roles and no scp", by: "entra", claims: { azp: "c", roles: ["r"] }, kind: "app" },
    { name: "Entra ID, scp", by: "entra", claims: { azp: "c", scp: "defaultaccess" }, kind: "user" },
    { name: "Entra ID, scp and roles", by: "entra", claims: { scp: "a", roles: ["r"] }, kind: "user" },
    { name: "Entra ID, neither", by: "entra", claims: { azp: "c" }, kind: undefined },
    { name: "Entra ID, an empty scp", by: "entra", claims: { azp: "c", scp: "" }, kind: undefined },
    { name: "Entra ID, both", by: "entra", claims: { scp: "a", idtyp: "app" }, kind: undefined },
    { name: "TokenX", by: "tokenx", claims: { pid: "1" }, kind: "user" },
    { name: "TokenX, of a machine's token", by: "tokenx", claims: { idtyp: "app" }, kind: "app" },
    { name: "ID-porten", by: "idporten", claims: { pid: "1" }, kind: "user" },
  ];
  for (const { name, by, claims, kind } of rows) {
    await t.test(name, async () => {
      const token = await signed(api, by, claims);
      for (const idtyp of ["user", "app"]) {
        const { body } = await api.post(path, { identity_provider: names[by], token, require: { idtyp } });
        assert.equal(body["active"], idtyp === kind, idtyp);
      }
    });
  }
});

test("require azp, client_id and groups: names are compared whole", async (t) => {
  await using api = await startApi();
  const rows: { name: string; claims: JWTPayload; require: object; active: boolean }[] = [
    {
      name: "client_id",
      claims: { client_id: "evil a:b:c" },
      require: { client_id: "a:b:c" },
      active: false,
    },
    { name: "azp", claims: { azp: "evil a:b:c" }, require: { azp: ["a:b:c"] }, active: false },
    { name: "groups", claims: { groups: "evil admins" }, require: { groups: ["admins"] }, active: false },
    {
      name: "one group",
      claims: { groups: "case admins" },
      require: { groups: "case admins" },
      active: true,
    },
  ];
  for (const { name, claims, require, active } of rows) {
    await t.test(name, async () => {
      const token = await signed(api, "tokenx", claims);
      const { body } = await api.post(path, { identity_provider: "tokenx", token, require });
      assert.equal(body["active"], active);
    });
  }
});

test("require max_age: an auth_time in the future is no sign-in of late", async () => {
  await using api = await startApi();
  const ask = async (ahead: number) => {
    const token = await signed(api, "tokenx", { auth_time: api.clock.seconds + ahead });
    return (await api.post(path, { identity_provider: "tokenx", token, require: { max_age: 60 } })).body;
  };
  assert.equal((await ask(10))["active"], true, "clocks differ a little");
  assert.deepEqual(await ask(99), { active: false, error: "the user is said to sign in 99 s from now" });
});

test("what seems to be a requirement in the wrong place is an error; other members are passed over, as in the baseline", async (t) => {
  await using api = await startApi();
  const token = await signed(api, "tokenx", { client_id: "c", acr: "Level3" });
  const refused = [
    "required",
    "requires",
    "Require",
    "requirements",
    "reqiure",
    "rquire",
    "acr",
    "Scope",
    "max_age",
  ];
  for (const name of refused) {
    await t.test(name, async () => {
      const reply = await api.post(path, { identity_provider: "tokenx", token, [name]: { acr: "Level4" } });
      assert.equal(reply.status, 400);
      const says = `${name}: is not known; requirements go into require`;
      assert.equal(reply.body["error_description"], says);
    });
  }
  const ignored = { token_type_hint: "access_token", client_id: "c", client_secret: "s", target: "x" };
  const reply = await api.form(path, { identity_provider: "tokenx", token, ...ignored });
  assert.equal(reply.body["active"], true);
});

test("any: a provider that is named as well is an error", async () => {
  await using api = await startApi();
  const token = await signed(api, "maskinporten", { scope: "a:b" });
  const reply = await api.post(path, { any: true, identity_provider: "tokenx", token });
  assert.deepEqual(
    [reply.status, reply.body["error_description"]],
    [400, "identity_provider: is not for any"],
  );
});

test("any: tokens without an audience of ours count only where a scope is required, and for nobody else", async (t) => {
  const elsewhere = { scope: "other:api", aud: "https://somebody-elses-api.example" };
  const rows: {
    name: string;
    env?: Record<string, string>;
    claims: JWTPayload;
    scope?: string;
    says?: RegExp;
  }[] = [
    { name: "no scope is required", claims: { scope: "a:b" }, says: /with any, a scope must be required/ },
    { name: "the scope is there", claims: { scope: "a:b" }, scope: "a:b" },
    { name: "the scope is not", claims: { scope: "a:b" }, scope: "a:c", says: /not have the scope a:c/ },
    {
      name: "RFC 7519 section 4.1.3: it is for another API",
      claims: elsewhere,
      scope: "other:api",
      says: /for one audience only/,
    },
    { name: "aud unspecified", claims: { scope: "a:b", aud: "unspecified" }, scope: "a:b" },
    { name: "our audience", env: { MASKINPORTEN_AUDIENCE: "https://me" }, claims: { aud: "https://me" } },
    {
      name: "another than our audience",
      env: { MASKINPORTEN_AUDIENCE: "https://me" },
      claims: elsewhere,
      says: /for "https:\/\/somebody-elses-api/,
    },
  ];
  for (const { name, env = {}, claims, scope, says } of rows) {
    await t.test(name, async () => {
      await using api = await startApi({ env });
      const token = await signed(api, "maskinporten", claims);
      const require = scope === undefined ? {} : { require: { scope } };
      const { body } = await api.post(path, { any: true, token, ...require });
      assert.equal(body["active"], says === undefined, JSON.stringify(body));
      if (says !== undefined) assert.match(String(body["error"]), says);
    });
  }
});

test("1.2.3 line 16: for Maskinporten by name, aud is not checked where none is configured, as in the baseline", async () => {
  await using api = await startApi();
  const token = await signed(api, "maskinporten", { aud: "https://api.example", scope: "a:b" });
  const { body } = await api.post(path, { identity_provider: "maskinporten", token });
  assert.deepEqual([body["active"], body["aud"]], [true, "https://api.example"]);
});

/** A client with a key of its own, and proofs by it. */
async function holder(api: Api) {
  const jwk = await generatePrivateJwk("ES256");
  const signer = await createSigner(jwk);
  const prove = createProofMaker({ signer, now: () => api.clock.seconds });
  return { prove, jkt: await calculateJwkThumbprint(signer.publicJwk) };
}

test("RFC 9449 section 7.1: a token that is bound to a key is active with the proof that came with it", async (t) => {
  await using api = await startApi();
  const [{ prove, jkt }, thief] = [await holder(api), await holder(api)];
  const token = await signed(api, "tokenx", { client_id: "c", cnf: { jkt } });
  const unbound = await signed(api, "tokenx", { client_id: "c" });
  const byCertificate = await signed(api, "tokenx", { cnf: { "x5t#S256": "abc" } });
  const [method, url] = ["GET", "https://api.example/cases"];
  const right = { method, url, accessToken: token };
  const proof = await prove(right);
  const with_ = (made: string, url_ = url) => ({ dpop: { proof: made, method, url: url_ } });
  const rows: { name: string; token?: string; more?: object; says?: RegExp }[] = [
    { name: "as a plain bearer token", says: /bound to a key \(cnf\).* plain bearer token/ },
    { name: "by certificate, as a plain bearer token", token: byCertificate, says: /bound to a key \(cnf\)/ },
    { name: "where the caller checks it itself", more: { binding_checked: true } },
    { name: "where it does not", more: { binding_checked: false }, says: /bound to a key \(cnf\)/ },
    { name: "with the proof", more: with_(proof, `${url}?id=1#top`) },
    { name: "with the same proof again", more: with_(proof), says: /was used before/ },
    { name: "with another key's proof", more: with_(await thief.prove(right)), says: /another key/ },
    {
      name: "with a proof for another request",
      more: with_(await prove({ ...right, method: "POST" })),
      says: /htm is another method/,
    },
    {
      name: "with a proof for another token",
      more: with_(await prove({ ...right, accessToken: unbound })),
      says: /ath is of another access token/,
    },
    { name: "with no proof at all", more: with_("x"), says: /the DPoP proof is refused/ },
    {
      name: "an unbound token with a proof",
      token: unbound,
      more: with_(await prove({ ...right, accessToken: unbound })),
      says: /not bound to a key/,
    },
    {
      name: "bound to a certificate, with a proof",
      token: byCertificate,
      more: with_(proof),
      says: /cnf.jkt/,
    },
  ];
  const ask = { identity_provider: "tokenx" };
  for (const { name, token: sent = token, more, says } of rows) {
    await t.test(name, async () => {
      const { body } = await api.post(path, { ...ask, token: sent, ...more });
      assert.equal(body["active"], says === undefined, JSON.stringify(body));
      if (says === undefined) assert.deepEqual(body["cnf"], { jkt }, "RFC 9449 section 6.2");
      else assert.match(String(body["error"]), says);
    });
  }
  await t.test("and so when it is remembered, in a form, and found by issuer", async () => {
    for (let times = 0; times < 3; times++)
      assert.equal((await api.post(path, { ...ask, token })).body["active"], false);
    const dpop = JSON.stringify({ proof: await prove(right), method, url });
    assert.equal((await api.form(path, { ...ask, token, dpop })).body["active"], true);
    const found = await api.post(path, { any: true, token, ...with_(await prove(right)) });
    assert.deepEqual([found.body["active"], found.body["identity_provider"]], [true, "tokenx"]);
    assert.equal((await api.post(path, { any: true, token })).body["active"], false);
  });
  await t.test("a by-reference token that the provider says is bound", async () => {
    const { privateJwk } = await clientKey();
    const env = { IDPORTEN_CLIENT_ID: "me", IDPORTEN_CLIENT_JWK: JSON.stringify(privateJwk) };
    await using other = await startApi({ env });
    other.idporten.introspection = { active: true, aud: audiences.idporten, cnf: { jkt } };
    const { body } = await other.post(path, { identity_provider: "idporten", token: "opaque" });
    assert.match(String(body["error"]), /bound to a key \(cnf\)/);
  });
});

test("RFC 7519 section 4.1.6: a remembered token ends when the clock is set back to before it was issued", async () => {
  await using api = await startApi();
  const token = await signed(api, "tokenx", { nbf: api.clock.seconds });
  const ask = { identity_provider: "tokenx", token };
  for (const time of ["new", "verified again", "remembered"])
    assert.equal((await api.post(path, ask)).body["active"], true, time);
  api.clock.wrong = -1000;
  assert.match(String((await api.post(path, ask)).body["error"]), /not valid for another 1000 s/);
});

test("the cause of a 503 is logged, under the id that its answer has", async () => {
  await using api = await startApi();
  api.maskinporten.always = "reset";
  const reply = await api.post("/api/v1/token", { identity_provider: "maskinporten", target: "a:b" });
  assert.equal(reply.status, 503);
  const id = String(reply.body["correlation_id"]);
  assert.match(id, /^[0-9a-f-]{36}$/);
  const lines = api.logLines.filter((line) => line.includes(id));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /"level":"warn".*"status":503.*(ECONNRESET|UND_ERR|other side closed)/);
  assert.doesNotMatch(lines[0]!, /eyJ|assertion=/);
});

test("the usual request is taken as the schema takes it, and no other", async (t) => {
  const right = { identity_provider: "tokenx", token: "a.b.c" };
  const rows: { name: string; value: unknown }[] = [
    { name: "the usual one", value: right },
    { name: "an empty token", value: { ...right, token: "" } },
    { name: "an empty name", value: { ...right, identity_provider: "" } },
    { name: "a name that is too long", value: { ...right, identity_provider: "x".repeat(65) } },
    { name: "a token that is too long", value: { ...right, token: "x".repeat(32_769) } },
    { name: "a token that is no text", value: { ...right, token: 1 } },
    { name: "no token", value: { identity_provider: "tokenx" } },
    { name: "no provider", value: { token: "a.b.c" } },
    { name: "one member more", value: { ...right, require: { arc: "x" } } },
    { name: "a list", value: [right] },
    { name: "a text", value: "tokenx" },
    { name: "nothing", value: null },
  ];
  for (const { name, value } of rows) {
    await t.test(name, () => {
      const taken = introspectRequest.safeParse(value);
      const parse = () => parseIntrospectRequest("application/json", JSON.stringify(value));
      if (taken.success) assert.deepEqual(parse(), taken.data);
      else assert.throws(parse, ProtocolError);
    });
  }
});

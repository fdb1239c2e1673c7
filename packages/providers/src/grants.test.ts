import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clientSecretPost,
  createSigner,
  Fault,
  generatePrivateJwk,
  ReportedError,
  type JwtClaims,
} from "@portvakt/oauth";
import {
  entraScope,
  IntrospectionRefused,
  judgeIntrospectionResponse,
  lifetimeSeconds,
  openidProvider,
  providers,
  type Provider,
  type ProviderClient,
  type ProviderName,
} from "./index.ts";

const { entra_id, maskinporten, tokenx }: Record<ProviderName, Provider> = providers;
const signer = await createSigner(await generatePrivateJwk("ES256"));
const client: ProviderClient = {
  clientId: "me",
  issuer: "https://as.example",
  tokenEndpoint: "https://as.example/token",
  auth: clientSecretPost({ clientId: "me", secret: "s" }),
  signer,
  now: () => 1000,
};

async function formOf(request: Request): Promise<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(await request.text()));
}

test("Entra ID: which scope a target stands for", async (t) => {
  const rows = [
    { target: "prod:team:app", scope: "api://prod.team.app/.default" },
    { target: "api://prod.team.app/.default", scope: "api://prod.team.app/.default" },
    { target: "https://graph.microsoft.com/User.Read", scope: "https://graph.microsoft.com/User.Read" },
    { target: "a:b:c:d", scope: "a:b:c:d" },
    { target: "a b:c:d", scope: "a b:c:d" },
    { target: "openid", scope: "openid" },
  ];
  for (const { target, scope } of rows) await t.test(target, () => assert.equal(entraScope(target), scope));
});

test("a configured provider uses the grants that it was given", async () => {
  const provider = openidProvider({
    name: "other",
    token: "client_credentials",
    exchange: "token_exchange",
    algorithms: ["ES256"],
  });
  const machine = await provider.token!.build(client, {
    target: "read",
    resource: ["a", "b"],
    authorizationDetails: [{ type: "x" }],
  });
  assert.equal(new URLSearchParams(await machine.clone().text()).getAll("resource").length, 2);
  assert.deepEqual(await formOf(machine), {
    grant_type: "client_credentials",
    scope: "read",
    resource: "b",
    authorization_details: '[{"type":"x"}]',
    client_id: "me",
    client_secret: "s",
  });
  const exchange = await formOf(
    await provider.exchange!.build(client, { target: "api", userToken: "opaque" }),
  );
  assert.equal(exchange["grant_type"], "urn:ietf:params:oauth:grant-type:token-exchange");
  assert.equal(exchange["subject_token_type"], "urn:ietf:params:oauth:token-type:access_token");
  assert.equal(
    provider.introspection
      .rules({ issuer: "i", audience: "a", keys: { find: () => Promise.reject(new Error("unused")) } })
      .algorithms.join(),
    "ES256",
  );
});

test("RFC 7523 section 2.1: a JWT grant needs a key, and says so", async () => {
  const { signer: _none, ...keyless } = client;
  await assert.rejects(maskinporten.token!.build(keyless, { target: "a" }), Fault);
});

test("answers that are no bearer token are refused", async (t) => {
  const token = { access_token: "a", token_type: "Bearer", expires_in: 10 };
  const rows = [
    {
      name: "another token type",
      judge: entra_id.token!.judge,
      body: { ...token, token_type: "DPoP" },
      error: Fault,
    },
    {
      name: "no access token",
      judge: entra_id.token!.judge,
      body: { token_type: "Bearer" },
      error: Fault,
    },
    {
      name: "RFC 8693: a refresh token was issued",
      judge: tokenx.exchange!.judge,
      body: { ...token, issued_token_type: "urn:ietf:params:oauth:token-type:refresh_token" },
      error: Fault,
    },
    {
      name: "an OAuth error",
      judge: tokenx.exchange!.judge,
      body: { error: "invalid_target" },
      status: 400,
      error: ReportedError,
    },
  ];
  for (const { name, judge, body, status, error } of rows) {
    await t.test(name, () => assert.rejects(judge(Response.json(body, { status: status ?? 200 })), error));
  }
});

test("a token's lifetime: expires_in, else its own exp, else unknown", async () => {
  const exp = await signer.sign({ exp: 1060 });
  assert.equal(lifetimeSeconds({ access_token: exp, token_type: "Bearer", expires_in: 30 }, 1000), 30);
  assert.equal(lifetimeSeconds({ access_token: exp, token_type: "Bearer" }, 1000), 60);
  assert.equal(lifetimeSeconds({ access_token: "opaque", token_type: "Bearer" }, 1000), undefined);
});

test("RFC 9068 section 2.2: whom a configured provider's token is about", async (t) => {
  const { kind } = openidProvider({ name: "any", algorithms: ["RS256"] }).introspection;
  const rows: { name: string; claims: JwtClaims; expected: string }[] = [
    { name: "its own subject", claims: { sub: "c", client_id: "c" }, expected: "machine" },
    { name: "its own subject, by azp", claims: { sub: "c", azp: "c" }, expected: "machine" },
    { name: "idtyp", claims: { sub: "s", client_id: "c", idtyp: "app" }, expected: "machine" },
    { name: "signed in", claims: { sub: "u", client_id: "c", auth_time: 1 }, expected: "user" },
    { name: "another subject", claims: { sub: "u", client_id: "c" }, expected: "unknown" },
    { name: "no subject", claims: {}, expected: "unknown" },
    { name: "both", claims: { sub: "c", client_id: "c", auth_time: 1 }, expected: "unknown" },
  ];
  for (const { name, claims, expected } of rows)
    await t.test(name, () => assert.equal(kind(claims), expected));
});

test("RFC 7662 section 2.3: a question that is refused is told from a provider in trouble, or in haste", async (t) => {
  const rows = [
    ...[400, 401, 403, 404].map((status) => [status, IntrospectionRefused] as const),
    ...[302, 408, 425, 429, 500, 503].map((status) => [status, Fault] as const),
  ];
  for (const [status, thrown] of rows) {
    await t.test(String(status), () =>
      assert.rejects(judgeIntrospectionResponse(new Response("<html>", { status })), thrown),
    );
  }
});

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { assertion, discover, ids, post, redirectUri, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const frontend = { client_id: ids.frontend, client_secret: "secret-of-frontend" };
const snoop = { client_id: ids.snoop, client_secret: "secret-of-snoop" };
const caseApi = "api://local.benefits.case-api/.default";

describe("Entra ID refuses what production would refuse, with its codes", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  let userToken: string;
  let idToken: string;
  before(async () => {
    idp = await standins();
    server = await discover(idp.issuers.entra);
    const { tokens } = await signIn({
      server,
      client: { client_id: ids.frontend },
      auth: client.ClientSecretPost(frontend.client_secret),
      params: { login_hint: "anna", scope: `openid api://${ids.frontend}/.default` },
    });
    userToken = tokens.access_token;
    idToken = tokens.id_token ?? "";
  });
  after(() => idp.close());

  const usual = () => ({ iss: ids.frontend, sub: ids.frontend, aud: server.token_endpoint ?? "" });
  const asserted = async (
    ...options: Parameters<typeof assertion> extends [unknown, ...infer Rest] ? Rest : never
  ) => ({
    client_id: ids.frontend,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await assertion(usual(), ...options),
  });
  const credentials = (scope: string) => ({ grant_type: "client_credentials", scope });
  const onBehalf = (assertion: string, more: Record<string, string> = {}) => ({
    grant_type: jwtBearer,
    requested_token_use: "on_behalf_of",
    scope: caseApi,
    assertion,
    ...more,
  });

  interface Case {
    readonly name: string;
    readonly form: () => Promise<Record<string, string>> | Record<string, string>;
    readonly code: number;
    readonly error: string;
    readonly status?: number;
  }
  const cases: Case[] = [
    {
      name: "an unknown client",
      form: () => ({
        ...credentials(caseApi),
        client_id: "99999999-9999-4999-8999-999999999999",
        client_secret: "x",
      }),
      code: 700016,
      error: "unauthorized_client",
    },
    {
      name: "a client of another tenant",
      form: () => ({ ...credentials(caseApi), client_id: ids.foreign, client_secret: "secret-of-foreign" }),
      code: 700016,
      error: "unauthorized_client",
    },
    {
      name: "a wrong secret",
      form: () => ({ ...credentials(caseApi), ...frontend, client_secret: "wrong" }),
      code: 7000215,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "no proof",
      form: () => ({ ...credentials(caseApi), client_id: ids.frontend }),
      code: 7000218,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "a bad assertion signature",
      form: async () => ({ ...credentials(caseApi), ...(await asserted({ key: "stranger" })) }),
      code: 700027,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "an assertion by a key that is not registered",
      form: async () => ({ ...credentials(caseApi), ...(await asserted({ header: { kid: "other" } })) }),
      code: 700027,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "an assertion for another audience",
      form: async () => ({
        ...credentials(caseApi),
        ...(await asserted({ claims: { aud: "https://login.microsoftonline.com/x" } })),
      }),
      code: 700023,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "an expired assertion",
      form: async () => ({
        ...credentials(caseApi),
        ...(await asserted({ claims: { iat: 1_700_000_000, exp: 1_700_000_060 } })),
      }),
      code: 700024,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "an assertion with iss and sub that differ",
      form: async () => ({ ...credentials(caseApi), ...(await asserted({ claims: { iss: ids.api } })) }),
      code: 700021,
      error: "invalid_client",
      status: 401,
    },
    {
      name: "an unknown grant type",
      form: () => ({ ...frontend, grant_type: "password" }),
      code: 70003,
      error: "unsupported_grant_type",
    },
    { name: "no grant type", form: () => ({ ...frontend }), code: 900144, error: "invalid_request" },
    {
      name: "client credentials without scope",
      form: () => ({ ...frontend, grant_type: "client_credentials" }),
      code: 900144,
      error: "invalid_request",
    },
    {
      name: "client credentials without /.default",
      form: () => ({ ...frontend, ...credentials("api://local.benefits.case-api/read") }),
      code: 1002012,
      error: "invalid_scope",
    },
    {
      name: "a resource that does not exist",
      form: () => ({ ...frontend, ...credentials("api://local.benefits.nowhere/.default") }),
      code: 500011,
      error: "invalid_resource",
    },
    {
      name: "a resource of another tenant",
      form: () => ({ ...frontend, ...credentials("api://local.other.foreign/.default") }),
      code: 500011,
      error: "invalid_resource",
    },
    {
      name: "client credentials that no inbound rule admits",
      form: () => ({ ...snoop, ...credentials(caseApi) }),
      code: 501051,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of that no inbound rule admits",
      form: async () => ({
        ...snoop,
        ...onBehalf(
          await idp.issue({
            provider: "entra",
            persona: "anna",
            client_id: ids.frontend,
            audience: ids.snoop,
          }),
        ),
      }),
      code: 65001,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with a scope that the rule does not give",
      form: () => ({ ...frontend, ...onBehalf(userToken, { scope: "api://custom-name/delete" }) }),
      code: 65001,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of for somebody whose group has no access",
      form: async () => ({
        ...frontend,
        ...onBehalf(await idp.issue({ provider: "entra", persona: "per", client_id: ids.frontend })),
      }),
      code: 50105,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with a token for somebody else",
      form: async () => ({
        ...frontend,
        ...onBehalf(
          await idp.issue({ provider: "entra", persona: "anna", client_id: ids.frontend, audience: ids.api }),
        ),
      }),
      code: 500131,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with an expired token",
      form: async () => ({
        ...frontend,
        ...onBehalf(
          await idp.issue({ provider: "entra", persona: "anna", client_id: ids.frontend, expiresIn: -10 }),
        ),
      }),
      code: 500133,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with a tampered token",
      form: () => ({ ...frontend, ...onBehalf(`${userToken.slice(0, -12)}AAAAAAAAAAAA`) }),
      code: 50013,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with another provider's token",
      form: async () => ({
        ...frontend,
        ...onBehalf(await idp.issue({ provider: "idporten", audience: ids.frontend })),
      }),
      code: 50013,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with what is no token",
      form: () => ({ ...frontend, ...onBehalf("nonsense") }),
      code: 50013,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with an ID token",
      form: () => ({ ...frontend, ...onBehalf(idToken) }),
      code: 240002,
      error: "invalid_grant",
    },
    {
      name: "on-behalf-of with an application's own token",
      form: async () => ({
        ...frontend,
        ...onBehalf(await idp.issue({ provider: "entra", client_id: ids.frontend })),
      }),
      code: 7000114,
      error: "invalid_grant",
    },
    {
      name: "jwt-bearer without requested_token_use",
      form: () => ({ ...frontend, grant_type: jwtBearer, assertion: userToken, scope: caseApi }),
      code: 900144,
      error: "invalid_request",
    },
    {
      name: "two resources at once",
      form: () => ({
        ...frontend,
        ...onBehalf(userToken, { scope: `${caseApi} api://local.benefits.open-api/.default` }),
      }),
      code: 28000,
      error: "invalid_request",
    },
    {
      name: "an unknown code",
      form: () => ({
        ...frontend,
        grant_type: "authorization_code",
        code: "nonsense",
        redirect_uri: redirectUri,
      }),
      code: 70008,
      error: "invalid_grant",
    },
    {
      name: "an unknown refresh token",
      form: () => ({ ...frontend, grant_type: "refresh_token", refresh_token: "nonsense" }),
      code: 70000,
      error: "invalid_grant",
    },
  ];
  for (const { name, form, code, error, status } of cases) {
    test(`AADSTS${code}: ${name}`, async () => {
      const { body, ...answer } = await post(server.token_endpoint ?? "", await form(), {
        "client-request-id": "0d1f2c3b-0000-4000-8000-000000000001",
      });
      assert.equal(body["error"], error, JSON.stringify(body));
      assert.deepEqual(body["error_codes"], [code]);
      assert.equal(answer.status, status ?? 400);
      assert.match(
        String(body["error_description"]),
        new RegExp(
          `^AADSTS${code}: .* Trace ID: [0-9a-f-]{36} Correlation ID: 0d1f2c3b-0000-4000-8000-000000000001 Timestamp: \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$`,
        ),
      );
      assert.match(String(body["timestamp"]), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
      assert.equal(body["correlation_id"], "0d1f2c3b-0000-4000-8000-000000000001");
      assert.match(String(body["error_uri"]), new RegExp(`/error\\?code=${code}$`));
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal("access_token" in body, false);
    });
  }

  test("AADSTS90002: an unknown tenant", async () => {
    const { body } = await post(`${idp.urls.entra}/nowhere.example/oauth2/v2.0/token`, {
      ...frontend,
      ...credentials(caseApi),
    });
    assert.deepEqual(body["error_codes"], [90002]);
  });
  test("AADSTS9000411: a parameter twice", async () => {
    const body = new URLSearchParams({ ...frontend, ...credentials(caseApi) });
    body.append("scope", caseApi);
    const response = await fetch(server.token_endpoint ?? "", { method: "POST", body });
    assert.deepEqual(((await response.json()) as { error_codes: number[] }).error_codes, [9000411]);
  });
  test("AADSTS54005 and AADSTS501481: a code used twice, a wrong verifier", async () => {
    const fresh = async (): Promise<Record<string, string>> => {
      const { callback, verifier } = await request({
        server,
        client: { client_id: ids.frontend },
        auth: client.None(),
        params: { login_hint: "anna" },
      });
      return {
        ...frontend,
        grant_type: "authorization_code",
        code: callback.searchParams.get("code") ?? "",
        redirect_uri: redirectUri,
        code_verifier: verifier,
      };
    };
    const form = await fresh();
    assert.equal((await post(server.token_endpoint ?? "", form)).status, 200);
    assert.deepEqual((await post(server.token_endpoint ?? "", form)).body["error_codes"], [54005]);
    const wrong = { ...(await fresh()), code_verifier: "b".repeat(43) };
    assert.deepEqual((await post(server.token_endpoint ?? "", wrong)).body["error_codes"], [501481]);
  });

  describe("on the sign-in page, where nobody is redirected", () => {
    const pages: { name: string; clientId?: string; params: Record<string, string>; says: RegExp }[] = [
      {
        name: "an unknown application",
        clientId: "99999999-9999-4999-8999-999999999999",
        params: {},
        says: /AADSTS700016/,
      },
      { name: "an application of another tenant", clientId: ids.foreign, params: {}, says: /AADSTS700016/ },
      {
        name: "a redirect URI that is not registered",
        params: { redirect_uri: "https://evil.example/" },
        says: /AADSTS50011/,
      },
      { name: "somebody in no group with access", params: { login_hint: "per" }, says: /AADSTS50105/ },
      { name: "somebody of another tenant", params: { login_hint: "olav" }, says: /AADSTS50020/ },
    ];
    for (const { name, clientId, params, says } of pages) {
      test(name, () =>
        assert.rejects(
          request({ server, client: { client_id: clientId ?? ids.frontend }, auth: client.None(), params }),
          says,
        ),
      );
    }
    test("prompt=none without a session is told to the application", async () => {
      const { callback } = await request({
        server,
        client: { client_id: ids.frontend },
        auth: client.None(),
        params: { prompt: "none" },
      });
      assert.equal(callback.searchParams.get("error"), "login_required");
      assert.match(callback.searchParams.get("error_description") ?? "", /^AADSTS50058/);
    });
  });
});

describe("what Entra ID does not have", () => {
  let idp: Standins;
  before(async () => {
    idp = await standins();
  });
  after(() => idp.close());
  test("pushed requests: there is no endpoint, and none in the metadata", async () => {
    const metadata = await discover(idp.issuers.entra);
    assert.equal(metadata.pushed_authorization_request_endpoint, undefined);
    const url = new URL(metadata.token_endpoint ?? "").href.replace(/token$/, "par");
    assert.equal((await fetch(url, { method: "POST" })).status, 404);
  });
  for (const [name, value] of [
    ["request", "x.y.z"],
    ["request_uri", "urn:x"],
  ] as const)
    test(`request objects: ${name} is ignored like any parameter that it does not know`, async () => {
      const { authorization_endpoint } = await discover(idp.issuers.entra);
      const query = new URLSearchParams({
        client_id: ids.open,
        redirect_uri: "https://app.example/oauth2/callback",
        response_type: "code",
        scope: "openid",
        login_hint: "anna",
      });
      const all = new URLSearchParams([...query, [name, value]]);
      all.set("client_id", ids.snoop);
      const answer = await fetch(`${authorization_endpoint}?${all}`, { redirect: "manual" });
      assert.match(answer.headers.get("location") ?? "", /[?&]code=/);
    });
});

describe("Graph's userinfo", () => {
  let idp: Standins;
  before(async () => {
    idp = await standins();
  });
  after(() => idp.close());
  test("answers tokens that are for Graph, with the ID token's sub, and no others", async () => {
    const server = await discover(idp.issuers.entra);
    const snoop = { client_id: ids.snoop };
    const auth = client.ClientSecretPost("secret-of-snoop");
    const { tokens, claims } = await signIn({ server, client: snoop, auth, params: { login_hint: "anna" } });
    const ask = (token: string) =>
      fetch(server.userinfo_endpoint ?? "", { headers: { authorization: `Bearer ${token}` } });
    const info = (await (await ask(tokens.access_token)).json()) as Record<string, unknown>;
    assert.equal(info["sub"], claims.sub);
    assert.equal(info["name"], "Anna Granskog");
    const other = await signIn({
      server,
      client: snoop,
      auth,
      params: { login_hint: "anna", scope: `openid api://${ids.snoop}/.default` },
    });
    for (const token of [other.tokens.access_token, tokens.id_token ?? "", "x"])
      assert.equal((await ask(token)).status, 401);
  });
});

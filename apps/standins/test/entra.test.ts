import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import {
  assertion,
  browser,
  clientJwks,
  caseWorkers,
  discover,
  ids,
  insecure,
  post,
  press,
  privateKey,
  registrations,
  standins,
} from "./kit.ts";
import { request, signIn, type SignedIn } from "./sign-in.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

describe("Entra ID, used by an independent client", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  let auth: client.ClientAuth;
  let tenant: string;
  const frontend = { client_id: ids.frontend };
  const api = { client_id: ids.api };
  const apiAuth = client.ClientSecretPost("secret-of-case-api");
  before(async () => {
    idp = await standins();
    server = await discover(idp.issuers.entra);
    auth = client.PrivateKeyJwt(await privateKey());
    tenant = /([0-9a-f-]{36})/.exec(idp.issuers.entra)?.[1] ?? "";
  });
  after(() => idp.close());

  const signInAs = (persona: string, more: Record<string, string> = {}): Promise<SignedIn> =>
    signIn({
      server,
      client: frontend,
      auth,
      params: { login_hint: persona, scope: `openid offline_access api://${ids.frontend}/.default`, ...more },
    });

  test("the layout is the provider's: issuer, endpoints and keys by tenant", () => {
    const base = idp.urls.entra;
    assert.equal(server.issuer, `${base}/${tenant}/v2.0`);
    assert.equal(server.authorization_endpoint, `${base}/${tenant}/oauth2/v2.0/authorize`);
    assert.equal(server.token_endpoint, `${base}/${tenant}/oauth2/v2.0/token`);
    assert.equal(server.end_session_endpoint, `${base}/${tenant}/oauth2/v2.0/logout`);
    assert.equal(server.jwks_uri, `${base}/${tenant}/discovery/v2.0/keys`);
  });

  test("common has a placeholder for its issuer, and a domain names its tenant", async () => {
    const at = async (name: string): Promise<unknown> =>
      (
        (await (await fetch(`${idp.urls.entra}/${name}/v2.0/.well-known/openid-configuration`)).json()) as {
          issuer: string;
        }
      ).issuer;
    assert.equal(await at("common"), `${idp.urls.entra}/{tenantid}/v2.0`);
    assert.equal(await at("organizations"), `${idp.urls.entra}/{tenantid}/v2.0`);
    assert.equal(await at("agency.example"), idp.issuers.entra);
  });

  test("signs an employee in; the tokens carry what the platform's applications read", async () => {
    const { tokens, claims } = await signInAs("anna");
    assert.equal(claims["NAVident"], "Z990001");
    assert.equal(claims["preferred_username"], "anna.granskog@agency.example");
    const { payload } = await jwtVerify(
      tokens.access_token,
      createRemoteJWKSet(new URL(server.jwks_uri ?? "")),
      { issuer: server.issuer, audience: ids.frontend },
    );
    assert.deepEqual(
      {
        azp: payload["azp"],
        name: payload["azp_name"],
        azpacr: payload["azpacr"],
        tid: payload["tid"],
        ver: payload["ver"],
        scp: payload["scp"],
        NAVident: payload["NAVident"],
        groups: payload["groups"],
        idtyp: payload["idtyp"],
      },
      {
        azp: ids.frontend,
        name: "local:benefits:caseworker",
        azpacr: "2",
        tid: tenant,
        ver: "2.0",
        scp: "defaultaccess",
        NAVident: "Z990001",
        groups: [caseWorkers],
        idtyp: undefined,
      },
    );
    for (const name of ["aio", "rh", "uti", "oid", "sub", "nbf"]) assert.ok(name in payload, name);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3900);
    assert.equal(claims["oid"], payload["oid"]);
    assert.equal(tokens.expires_in, 3599);
  });

  test("without offline_access there is no refresh token; without openid no ID token", async () => {
    const { tokens } = await signInAs("anna", { scope: "openid" });
    assert.equal(tokens.refresh_token, undefined);
    assert.equal(tokens.scope, "openid User.Read");
    assert.equal(decodeJwt(tokens.access_token).aud, "00000003-0000-0000-c000-000000000000");
  });

  test("refresh gives a new refresh token and goes on taking the old one; it can ask for another resource", async () => {
    const { tokens } = await signInAs("anna");
    const refresh = async (params: Record<string, string>): Promise<client.TokenEndpointResponse> =>
      client.processRefreshTokenResponse(
        server,
        frontend,
        await client.refreshTokenGrantRequest(server, frontend, auth, tokens.refresh_token ?? "", {
          additionalParameters: params,
          ...insecure,
        }),
      );
    const same = await refresh({});
    assert.equal(decodeJwt(same.access_token).aud, ids.frontend);
    const other = await refresh({ scope: "openid offline_access api://local.benefits.case-api/.default" });
    assert.equal(decodeJwt(other.access_token).aud, ids.api);
    assert.equal(decodeJwt(other.access_token)["scp"], "defaultaccess read");
  });

  test("on behalf of: a new token for the next application, for the same person", async () => {
    const { tokens, claims } = await signInAs("anna");
    for (const scope of [
      `api://${ids.api}/.default`,
      "api://local.benefits.case-api/.default",
      "api://custom-name/read",
    ]) {
      const response = await client.genericTokenEndpointRequest(
        server,
        frontend,
        auth,
        jwtBearer,
        { assertion: tokens.access_token, scope, requested_token_use: "on_behalf_of" },
        insecure,
      );
      const answer = await client.processGenericTokenEndpointResponse(server, frontend, response);
      const payload = decodeJwt(answer.access_token);
      assert.equal(payload.aud, ids.api);
      assert.equal(payload["azp"], ids.frontend);
      assert.equal(payload["NAVident"], "Z990001");
      assert.equal(payload["oid"], claims["oid"]);
      assert.notEqual(payload.sub, claims.sub, "pairwise");
      assert.equal(payload["scp"], scope.endsWith(".default") ? "defaultaccess read" : "read");
    }
  });

  test("claims that were edited on the page follow the person through on-behalf-of", async () => {
    const { tokens } = await signIn({
      server,
      client: frontend,
      auth,
      params: { scope: `openid api://${ids.frontend}/.default` },
      choose: (page, tab) =>
        press(page, tab, {
          persona: "anna",
          claims: JSON.stringify({
            oid: "99999999-9999-4999-8999-999999999999",
            name: "Anna Annerledes",
            preferred_username: "a@agency.example",
            NAVident: "Z999999",
            groups: [caseWorkers],
          }),
        }),
    });
    const { body } = await post(server.token_endpoint ?? "", {
      grant_type: jwtBearer,
      assertion: tokens.access_token,
      scope: `api://${ids.api}/.default`,
      requested_token_use: "on_behalf_of",
      client_id: ids.frontend,
      client_secret: "secret-of-frontend",
    });
    const payload = decodeJwt(String(body["access_token"]));
    assert.equal(payload["NAVident"], "Z999999");
    assert.equal(payload["azpacr"], "1");
  });

  test("client credentials: roles by the access policy, sub is oid, idtyp app", async () => {
    idp.register({
      entra: {
        applications: [
          {
            client_id: "66666666-6666-4666-8666-666666666666",
            name: "local:benefits:payout-job",
            client_secret: "secret-of-payout",
          },
        ],
      },
    });
    const job = { client_id: "66666666-6666-4666-8666-666666666666" };
    const response = await client.clientCredentialsGrantRequest(
      server,
      job,
      client.ClientSecretBasic("secret-of-payout"),
      { scope: "api://local.benefits.case-api/.default" },
      insecure,
    );
    const { access_token, ...rest } = await client.processClientCredentialsResponse(server, job, response);
    const payload = decodeJwt(access_token);
    assert.deepEqual(payload["roles"], ["access_as_application", "payout"]);
    assert.equal(payload["idtyp"], "app");
    assert.equal(payload.sub, payload["oid"]);
    assert.equal(payload["azp_name"], "local:benefits:payout-job");
    assert.equal("scp" in payload, false);
    assert.equal("refresh_token" in rest, false);
  });

  test("groups: those assigned to the application; with more than 200 a pointer instead", async () => {
    const few = await signInAs("greta");
    assert.deepEqual(few.claims["groups"], [caseWorkers]);
    const many = await signIn({
      server,
      client: { client_id: ids.open },
      auth: client.ClientSecretPost("secret-of-open"),
      params: { login_hint: "greta" },
    });
    assert.equal("groups" in many.claims, false);
    assert.deepEqual(many.claims["_claim_names"], { groups: "src1" });
    const none = await signIn({
      server,
      client: { client_id: ids.snoop },
      auth: client.ClientSecretPost("secret-of-snoop"),
      params: { login_hint: "anna" },
    });
    assert.equal("groups" in none.claims, false, "no group is assigned to the application");
  });

  test("client_info, which Microsoft's libraries ask for", async () => {
    const { tokens, claims } = await signIn({
      server,
      client: api,
      auth: apiAuth,
      params: { login_hint: "anna" },
    }).catch(() => signInAs("anna"));
    const { body } = await post(server.token_endpoint ?? "", {
      grant_type: jwtBearer,
      assertion: tokens.access_token,
      scope: `api://${ids.api}/.default`,
      requested_token_use: "on_behalf_of",
      client_id: ids.frontend,
      client_secret: "secret-of-frontend",
      client_info: "1",
    });
    assert.deepEqual(JSON.parse(Buffer.from(String(body["client_info"]), "base64url").toString()), {
      uid: claims["oid"],
      utid: tenant,
    });
  });

  test("the other tenant has an issuer of its own", async () => {
    const other = await discover(`${idp.urls.entra}/69f7cb52-7acc-4bad-9272-d31ec1930f34/v2.0`);
    const { claims } = await signIn({
      server: other,
      client: { client_id: ids.foreign },
      auth: client.ClientSecretPost("secret-of-foreign"),
      params: { login_hint: "olav" },
    });
    assert.equal(claims["tid"], "69f7cb52-7acc-4bad-9272-d31ec1930f34");
  });

  test("logout loads the front-channel URI, and goes on without a hint when the session knows the URI", async () => {
    const tab = browser();
    const { claims } = await signIn({ server, client: frontend, auth, tab, params: { login_hint: "anna" } });
    const page = await tab.open(
      `${server.end_session_endpoint}?post_logout_redirect_uri=${encodeURIComponent("https://app.example/signed-out")}`,
    );
    const html = (await page.text()).replaceAll("&amp;", "&");
    assert.ok(
      html.includes(
        `/oauth2/logout/frontchannel?iss=${encodeURIComponent(server.issuer)}&sid=${claims["sid"] as string}`,
      ),
    );
    assert.match(html, /href="https:\/\/app\.example\/signed-out"/);
    const { callback } = await request({ server, client: frontend, auth, tab, params: { prompt: "none" } });
    assert.equal(callback.searchParams.get("error"), "login_required");
    const stranger = await browser().open(
      `${server.end_session_endpoint}?post_logout_redirect_uri=${encodeURIComponent("https://evil.example/")}`,
    );
    assert.equal(stranger.status, 200);
    assert.equal(
      (await stranger.text()).includes("evil.example"),
      false,
      "an unregistered URI is not followed",
    );
  });

  describe("workload identity federation", () => {
    const issuer = "https://cluster.example";
    const subject = "system:serviceaccount:benefits:federated";
    const id = "77777777-7777-4777-8777-777777777777";
    const claims = { iss: issuer, sub: subject, aud: "api://AzureADTokenExchange" };
    before(() => {
      idp.register({
        entra: {
          applications: [
            {
              client_id: id,
              name: "local:benefits:payout-job",
              federated_credentials: [{ issuer, subject, jwks: clientJwks }],
            },
          ],
        },
      });
    });
    const ask = async (made: string) =>
      post(server.token_endpoint ?? "", {
        grant_type: "client_credentials",
        scope: "api://local.benefits.case-api/.default",
        client_id: id,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: made,
      });
    test("the cluster's token for the workload is proof enough", async () => {
      const { body } = await ask(await assertion(claims));
      assert.equal(decodeJwt(String(body["access_token"]))["azp"], id);
    });
    const cases: { name: string; made: () => Promise<string>; code: number }[] = [
      {
        name: "another issuer",
        made: () => assertion({ ...claims, iss: "https://other.example" }),
        code: 700211,
      },
      {
        name: "another subject",
        made: () => assertion({ ...claims, sub: "system:serviceaccount:benefits:other" }),
        code: 700213,
      },
      { name: "another audience", made: () => assertion({ ...claims, aud: "nais" }), code: 700212 },
      { name: "a bad signature", made: () => assertion(claims, { key: "stranger" }), code: 700027 },
      {
        name: "expired",
        made: () => assertion({ ...claims, iat: 1_700_000_000, exp: 1_700_000_060 }),
        code: 700024,
      },
    ];
    for (const { name, made, code } of cases)
      test(`AADSTS${code}: ${name}`, async () =>
        assert.deepEqual((await ask(await made())).body["error_codes"], [code]));
    test("AADSTS700016: an application of another tenant", async () => {
      idp.register({
        entra: {
          applications: [
            {
              client_id: ids.foreign,
              name: "local:other:foreign",
              tenant: "other.example",
              federated_credentials: [{ issuer, subject, jwks: clientJwks }],
            },
          ],
        },
      });
      const { body } = await post(server.token_endpoint ?? "", {
        grant_type: "client_credentials",
        scope: "api://local.benefits.case-api/.default",
        client_id: ids.foreign,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: await assertion(claims),
      });
      assert.deepEqual(body["error_codes"], [700016]);
    });
  });

  test("a change of the registrations counts at once", async () => {
    const call = () =>
      post(server.token_endpoint ?? "", {
        grant_type: "client_credentials",
        scope: "api://local.benefits.case-api/.default",
        client_id: ids.snoop,
        client_secret: "secret-of-snoop",
      });
    const before = await call();
    assert.equal(before.body["error"], "invalid_grant");
    const [, caseApi] = registrations.entra?.applications ?? [];
    assert.ok(caseApi);
    idp.register({
      entra: {
        applications: [
          {
            ...caseApi,
            inbound: [
              ...(caseApi.inbound ?? []),
              { application: "snoop", namespace: "benefits", cluster: "local" },
            ],
          },
        ],
      },
    });
    assert.equal((await call()).status, 200);
    idp.register({ entra: { applications: [caseApi] } });
    assert.equal((await call()).status, 400);
  });
});

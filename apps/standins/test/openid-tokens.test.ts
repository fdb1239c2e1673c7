// Token endpoint, userinfo, introspection, revocation, PAR, metadata and keys of the plain provider, by the letter.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { discover, insecure, post, redirectUri, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

const without = (form: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(form).filter(([key]) => key !== name));

describe("the endpoints that clients of an OpenID provider call", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  const plain = { client_id: "plain" };
  const secret = { client_id: "plain", client_secret: "secret-of-plain" };
  const auth = client.ClientSecretBasic("secret-of-plain");
  const basic = { authorization: `Basic ${btoa("plain:secret-of-plain")}` };
  const as = (params: Record<string, string> = {}) =>
    signIn({
      server,
      client: plain,
      auth,
      params: { login_hint: "kari", scope: "openid offline_access", ...params },
    });
  const code = async (params: Record<string, string> = {}) => {
    const { callback, verifier } = await request({
      server,
      client: plain,
      auth,
      params: { login_hint: "kari", ...params },
    });
    return {
      grant_type: "authorization_code",
      code: callback.searchParams.get("code") ?? "",
      code_verifier: verifier,
      redirect_uri: redirectUri,
    };
  };
  const redeem = (form: Record<string, string>, headers = {}) =>
    post(server.token_endpoint ?? "", form, headers);
  const userinfo = (init: RequestInit) => fetch(server.userinfo_endpoint ?? "", init);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  before(async () => {
    idp = await standins();
    idp.register({
      openid: {
        clients: [
          {
            client_id: "other",
            client_secret: "secret-of-other",
            redirect_uris: [redirectUri],
            scopes: ["openid", "offline_access", "notes:read"],
          },
        ],
      },
    });
    server = await discover(idp.issuers.openid);
  });
  after(() => idp.close());

  describe("token endpoint", () => {
    test("RFC 6749 section 5.1: the answer is not cached, and names type, life and scope", async () => {
      const { body, headers } = await redeem({ ...(await code()), ...secret });
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(body["token_type"], "Bearer");
      assert.equal(body["expires_in"], 3600);
      assert.equal(body["scope"], "openid");
    });
    test("RFC 6749 section 2.3.1: by Basic and by form, but not both at once", async () => {
      assert.equal((await redeem(await code(), basic)).status, 200);
      assert.equal((await redeem({ ...(await code()), ...secret })).status, 200);
      assert.equal((await redeem({ ...(await code()), ...secret }, basic)).body["error"], "invalid_request");
    });
    test("RFC 6749 section 5.2: a wrong secret by Basic is 401 with a challenge", async () => {
      const { status, body, headers } = await redeem(await code(), {
        authorization: `Basic ${btoa("plain:wrong-secret")}`,
      });
      assert.equal(status, 401);
      assert.equal(body["error"], "invalid_client");
      assert.match(headers.get("www-authenticate") ?? "", /^Basic/);
    });
    const refused: Record<
      string,
      { change: (form: Record<string, string>) => Record<string, string>; error: string }
    > = {
      "RFC 6749 section 5.2: an unknown client is invalid_client": {
        change: (form) => ({ ...form, client_id: "nobody" }),
        error: "invalid_client",
      },
      "RFC 6749 section 5.2: no client authentication is invalid_client": {
        change: (form) => without(form, "client_secret"),
        error: "invalid_client",
      },
      "RFC 6749 section 5.2: no grant_type is invalid_request": {
        change: (form) => without(form, "grant_type"),
        error: "invalid_request",
      },
      "RFC 6749 section 5.2: a grant_type that is not served is unsupported_grant_type": {
        change: (form) => ({ ...form, grant_type: "password" }),
        error: "unsupported_grant_type",
      },
      "RFC 6749 section 4.1.3: no code is invalid_request": {
        change: (form) => without(form, "code"),
        error: "invalid_request",
      },
      "RFC 6749 section 4.1.3: an unknown code is invalid_grant": {
        change: (form) => ({ ...form, code: "x" }),
        error: "invalid_grant",
      },
      "RFC 6749 section 4.1.3: another redirect_uri is invalid_grant": {
        change: (form) => ({ ...form, redirect_uri: "https://app.example/other" }),
        error: "invalid_grant",
      },
      "RFC 6749 section 4.1.3: another client's code is invalid_grant": {
        change: (form) => ({ ...form, client_id: "other", client_secret: "secret-of-other" }),
        error: "invalid_grant",
      },
      "RFC 7636 section 4.6: a wrong code_verifier is invalid_grant": {
        change: (form) => ({ ...form, code_verifier: "a".repeat(43) }),
        error: "invalid_grant",
      },
      "RFC 7636 section 4.6: no code_verifier is invalid_grant": {
        change: (form) => without(form, "code_verifier"),
        error: "invalid_grant",
      },
    };
    for (const [name, { change, error }] of Object.entries(refused))
      test(name, async () => {
        const { body, status } = await redeem(change({ ...(await code()), ...secret }));
        assert.equal(body["error"], error);
        assert.equal(status, error === "invalid_client" ? 401 : 400);
      });
    test("RFC 6749 section 3.2: a repeated parameter is invalid_request", async () => {
      const form = new URLSearchParams({ ...(await code()), ...secret });
      form.append("code", "again");
      const response = await fetch(server.token_endpoint ?? "", { method: "POST", body: form });
      assert.equal(((await response.json()) as { error: string }).error, "invalid_request");
    });
    test("RFC 6749 section 3.2: GET is not served", async () => {
      const response = await fetch(server.token_endpoint ?? "");
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "POST");
    });
    test("RFC 6749 section 4.1.2: a code is good for a minute", async () => {
      const form = { ...(await code()), ...secret };
      idp.moveClock(61);
      const { body } = await redeem(form);
      idp.moveClock(0);
      assert.equal(body["error"], "invalid_grant");
    });
    test("RFC 6749 section 4.1.2: a code used twice is refused, and its tokens are revoked, also when it is late", async () => {
      const form = { ...(await code({ scope: "openid offline_access" })), ...secret };
      const first = await redeem(form);
      const token = String(first.body["access_token"]);
      assert.equal((await userinfo(bearer(token))).status, 200);
      idp.moveClock(90);
      assert.equal((await redeem(form)).body["error"], "invalid_grant");
      assert.equal((await userinfo(bearer(token))).status, 401);
      const refresh = {
        grant_type: "refresh_token",
        refresh_token: String(first.body["refresh_token"]),
        ...secret,
      };
      assert.equal((await redeem(refresh)).body["error"], "invalid_grant");
      idp.moveClock(0);
    });
    test("RFC 6749 section 6: a refresh may narrow the scope, and not widen it", async () => {
      const { tokens } = await as({ scope: "openid offline_access email" });
      const ask = (refresh_token: string, scope: string) =>
        redeem({ grant_type: "refresh_token", refresh_token, scope, ...secret });
      const wide = await ask(tokens.refresh_token ?? "", "openid profile");
      assert.equal(wide.body["error"], "invalid_scope");
      const narrow = await ask(tokens.refresh_token ?? "", "openid");
      assert.equal(narrow.body["scope"], "openid");
    });
    test("RFC 6749 section 6: another client's refresh token is invalid_grant", async () => {
      const { tokens } = await as();
      const { body } = await redeem({
        grant_type: "refresh_token",
        refresh_token: tokens.refresh_token ?? "",
        client_id: "other",
        client_secret: "secret-of-other",
      });
      assert.equal(body["error"], "invalid_grant");
    });
    test("OpenID Connect Core section 12.2: a refreshed ID token keeps iss, sub, aud and auth_time, and has no nonce", async () => {
      const { tokens, claims } = await as();
      idp.moveClock(30);
      const { body } = await redeem({
        grant_type: "refresh_token",
        refresh_token: tokens.refresh_token ?? "",
        ...secret,
      });
      idp.moveClock(0);
      const next = decodeJwt(String(body["id_token"]));
      for (const name of ["iss", "sub", "aud", "auth_time", "azp"])
        assert.deepEqual(next[name], claims[name], name);
      assert.ok((next.iat ?? 0) > claims.iat);
      assert.equal("nonce" in next, false);
    });
    test("RFC 9449 section 5: a proof binds the tokens; userinfo wants it again, once, with the right token", async () => {
      const pair = await client.generateKeyPair("ES256");
      const DPoP = client.DPoP({}, pair);
      const { callback, verifier, state } = await request({
        server,
        client: plain,
        auth,
        params: { login_hint: "kari" },
      });
      const answered = client.validateAuthResponse(server, plain, callback, state);
      const response = await client.authorizationCodeGrantRequest(
        server,
        plain,
        auth,
        answered,
        redirectUri,
        verifier,
        { DPoP, ...insecure },
      );
      const tokens = (await response.json()) as { access_token: string; token_type: string };
      assert.equal(tokens.token_type, "DPoP");
      const info = await client.userInfoRequest(server, plain, tokens.access_token, { DPoP, ...insecure });
      assert.equal(info.status, 200);
      assert.equal((await userinfo(bearer(tokens.access_token))).status, 401);
      const stranger = client.DPoP({}, await client.generateKeyPair("ES256"));
      await assert.rejects(async () =>
        client.processUserInfoResponse(
          server,
          plain,
          client.skipSubjectCheck,
          await client.userInfoRequest(server, plain, tokens.access_token, { DPoP: stranger, ...insecure }),
        ),
      );
      const bad = await redeem({ ...(await code()), ...secret }, { dpop: "a.b.c" });
      assert.equal(bad.body["error"], "invalid_dpop_proof");
    });
  });

  describe("userinfo", () => {
    test("OpenID Connect Core section 5.3: by GET and POST in the header, and by POST in the form; sub is the ID token's", async () => {
      const { tokens, claims } = await as();
      const token = tokens.access_token;
      for (const init of [
        bearer(token),
        { method: "POST", ...bearer(token) },
        { method: "POST", body: new URLSearchParams({ access_token: token }) },
      ]) {
        const response = await userinfo(init);
        assert.equal(response.status, 200);
        assert.match(response.headers.get("content-type") ?? "", /application\/json/);
        assert.equal(((await response.json()) as { sub: string }).sub, claims.sub);
      }
    });
    test("RFC 6750 section 3.1: without a token there is a challenge and no error code", async () => {
      const response = await userinfo({});
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      assert.equal(await response.text(), "");
    });
    const refused: Record<string, { init: () => Promise<RequestInit>; status: number; error: string }> = {
      "RFC 6750 section 3.1: a token that is none is invalid_token": {
        init: async () => bearer("x"),
        status: 401,
        error: "invalid_token",
      },
      "RFC 6750 section 3.1: an ID token is invalid_token": {
        init: async () => bearer((await as()).tokens.id_token ?? ""),
        status: 401,
        error: "invalid_token",
      },
      "RFC 6750 section 2: a token in two places is invalid_request": {
        init: async () => {
          const { access_token } = (await as()).tokens;
          return { method: "POST", body: new URLSearchParams({ access_token }), ...bearer(access_token) };
        },
        status: 400,
        error: "invalid_request",
      },
      "RFC 6750 section 3.1: a token without the scope openid is insufficient_scope": {
        init: async () =>
          bearer(
            String(
              (await redeem({ grant_type: "client_credentials", scope: "notes:read", ...secret })).body[
                "access_token"
              ],
            ),
          ),
        status: 403,
        error: "insufficient_scope",
      },
    };
    for (const [name, { init, status, error }] of Object.entries(refused))
      test(name, async () => {
        const response = await userinfo(await init());
        assert.equal(response.status, status);
        assert.equal(response.headers.get("www-authenticate"), `Bearer error="${error}"`);
      });
    test("RFC 6750 section 2.3: a token in the query is not looked at", async () => {
      const { access_token } = (await as()).tokens;
      assert.equal((await fetch(`${server.userinfo_endpoint}?access_token=${access_token}`)).status, 401);
    });
    test("OpenID Connect Core section 5.3.1: pages of other origins may call it", async () => {
      const preflight = await userinfo({ method: "OPTIONS", headers: { origin: "https://spa.example" } });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
      assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /authorization/);
      const response = await userinfo({});
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
    });
  });

  describe("introspection", () => {
    const ask = (form: Record<string, string>, headers = {}) =>
      post(server.introspection_endpoint ?? "", form, headers);
    test("RFC 7662 section 2.2: a live access token is told of", async () => {
      const { tokens, claims } = await as();
      const { body, headers } = await ask({ token: tokens.access_token }, basic);
      assert.equal(body["active"], true);
      assert.equal(body["sub"], claims.sub);
      assert.equal(body["client_id"], "plain");
      assert.equal(body["scope"], "openid offline_access");
      assert.equal(headers.get("cache-control"), "no-store");
    });
    test("RFC 7662 section 2.1: refresh tokens are found, whatever the hint says", async () => {
      const { tokens } = await as();
      const { body } = await ask(
        { token: tokens.refresh_token ?? "", token_type_hint: "access_token" },
        basic,
      );
      assert.equal(body["active"], true);
      assert.equal(body["client_id"], "plain");
    });
    test("RFC 7662 section 2.2: of a token that is unknown, expired, spent or revoked nothing but active false is said", async () => {
      const { tokens } = await as();
      const first = tokens.refresh_token ?? "";
      await redeem({ grant_type: "refresh_token", refresh_token: first, ...secret });
      idp.moveClock(3601);
      const expired = await ask({ token: tokens.access_token }, basic);
      idp.moveClock(0);
      assert.deepEqual(expired.body, { active: false });
      for (const token of ["x", first, tokens.id_token ?? ""])
        assert.deepEqual((await ask({ token }, basic)).body, { active: false });
    });
    test("RFC 7662 section 2.1: the caller must authenticate, which a public client does not", async () => {
      const { tokens } = await as();
      for (const form of [{}, { client_id: "mobile" }, { ...secret, client_secret: "wrong-secret" }]) {
        const { status, body } = await ask({ token: tokens.access_token, ...form });
        assert.equal(status, 401);
        assert.equal(body["error"], "invalid_client");
      }
    });
    test("RFC 7662 section 2.1: token is required", async () => {
      assert.equal((await ask({}, basic)).body["error"], "invalid_request");
    });
  });

  describe("revocation", () => {
    const revoke = (form: Record<string, string>, headers = {}) =>
      post(server.revocation_endpoint ?? "", form, headers);
    const active = async (token: string) =>
      (await post(server.introspection_endpoint ?? "", { token }, basic)).body["active"];
    test("RFC 7009 section 2.1: revoking a refresh token ends the access tokens of its grant", async () => {
      const { tokens } = await as();
      assert.equal((await revoke({ token: tokens.refresh_token ?? "" }, basic)).status, 200);
      assert.equal(await active(tokens.refresh_token ?? ""), false);
      assert.equal(await active(tokens.access_token), false);
    });
    test("RFC 7009 section 2.1: an access token is revoked at once, with a wrong hint too", async () => {
      const { tokens } = await as();
      assert.equal(
        (await revoke({ token: tokens.access_token, token_type_hint: "refresh_token" }, basic)).status,
        200,
      );
      assert.equal(await active(tokens.access_token), false);
    });
    test("RFC 7009 section 2.2: a token that is not known is answered with 200", async () => {
      assert.equal((await revoke({ token: "never-issued" }, basic)).status, 200);
    });
    test("RFC 7009 section 2.1: another client's token is refused, and lives on", async () => {
      const { tokens } = await as();
      const { status, body } = await revoke({
        token: tokens.access_token,
        client_id: "other",
        client_secret: "secret-of-other",
      });
      assert.equal(status, 400);
      assert.equal(body["error"], "invalid_grant");
      assert.equal(await active(tokens.access_token), true);
    });
    test("RFC 7009 section 2.1: without credentials, or without a token, it is refused", async () => {
      assert.equal((await revoke({ token: "x" })).status, 401);
      assert.equal((await revoke({}, basic)).body["error"], "invalid_request");
    });
  });
});

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { discover, insecure, post, redirectUri, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

describe("any OpenID provider", () => {
  let idp: Standins;
  const plain = { client_id: "plain" };
  const auth = client.ClientSecretBasic("secret-of-plain");
  before(async () => {
    idp = await standins();
  });
  after(() => idp.close());

  for (const path of ["", "/realms/one", "/two"]) {
    test(`signs in at the issuer ${path === "" ? "root" : path}: code, userinfo, refresh, introspection, logout`, async () => {
      const server = await discover(idp.issuers.openid + path);
      const { tokens, claims } = await signIn({
        server,
        client: plain,
        auth,
        pushed: true,
        params: { login_hint: "anna", scope: "openid profile email offline_access" },
      });
      assert.equal(claims["name"], "Anna Granskog");
      assert.equal(claims["email"], "anna@people.example");
      const { payload, protectedHeader } = await jwtVerify(
        tokens.access_token,
        createRemoteJWKSet(new URL(server.jwks_uri ?? "")),
        { issuer: server.issuer, audience: server.issuer, typ: "at+jwt" },
      );
      assert.equal(payload["client_id"], "plain");
      assert.equal(protectedHeader.typ, "at+jwt", "RFC 9068 section 2.1");
      const info = await client.processUserInfoResponse(
        server,
        plain,
        claims.sub,
        await client.userInfoRequest(server, plain, tokens.access_token, insecure),
      );
      assert.equal(info["preferred_username"], "anna");
      const next = await client.processRefreshTokenResponse(
        server,
        plain,
        await client.refreshTokenGrantRequest(server, plain, auth, tokens.refresh_token ?? "", insecure),
      );
      assert.notEqual(next.refresh_token, tokens.refresh_token);
      const seen = await client.processIntrospectionResponse(
        server,
        plain,
        await client.introspectionRequest(server, plain, auth, tokens.access_token, insecure),
      );
      assert.equal(seen.active, true);
      const out = await fetch(
        `${server.end_session_endpoint}?${new URLSearchParams({ id_token_hint: tokens.id_token ?? "", post_logout_redirect_uri: "https://app.example/signed-out" })}`,
        { redirect: "manual" },
      );
      assert.equal(out.headers.get("location"), "https://app.example/signed-out");
    });
  }

  test("claims by scope: without profile and email there are none of theirs", async () => {
    const server = await discover(idp.issuers.openid);
    const { claims, tokens } = await signIn({ server, client: plain, auth, params: { login_hint: "kari" } });
    assert.equal("name" in claims || "email" in claims, false);
    assert.equal(tokens.refresh_token, undefined, "offline_access was not asked for");
  });

  test("issuers share nothing: neither keys, nor codes, nor tokens", async () => {
    const one = await discover(`${idp.issuers.openid}/one`);
    const two = await discover(`${idp.issuers.openid}/two`);
    const { tokens } = await signIn({ server: one, client: plain, auth, params: { login_hint: "kari" } });
    await assert.rejects(jwtVerify(tokens.access_token, createRemoteJWKSet(new URL(two.jwks_uri ?? ""))), {
      code: "ERR_JWKS_NO_MATCHING_KEY",
    });
    const { callback, verifier } = await request({
      server: one,
      client: plain,
      auth,
      params: { login_hint: "kari" },
    });
    const { body } = await post(two.token_endpoint ?? "", {
      grant_type: "authorization_code",
      code: callback.searchParams.get("code") ?? "",
      code_verifier: verifier,
      redirect_uri: redirectUri,
      client_id: "plain",
      client_secret: "secret-of-plain",
    });
    assert.equal(body["error"], "invalid_grant");
    const seen = await post(two.introspection_endpoint ?? "", {
      token: tokens.access_token,
      client_id: "plain",
      client_secret: "secret-of-plain",
    });
    assert.deepEqual(seen.body, { active: false });
  });

  test("a public client signs in with PKCE, and not without (RFC 9700 section 2.1.1)", async () => {
    const server = await discover(idp.issuers.openid);
    const mobile = { client_id: "mobile" };
    const { claims } = await signIn({
      server,
      client: mobile,
      auth: client.None(),
      params: { login_hint: "kari" },
    });
    assert.equal(claims.aud, "mobile");
    const bare = new URL(server.authorization_endpoint ?? "");
    bare.search = new URLSearchParams({
      client_id: "mobile",
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid",
      login_hint: "kari",
    }).toString();
    const answer = await fetch(bare, { redirect: "manual" });
    assert.match(answer.headers.get("location") ?? "", /error=invalid_request/);
  });

  test("client credentials: registered scopes only, and not for a public client", async () => {
    const server = await discover(idp.issuers.openid);
    const ask = (form: Record<string, string>) =>
      post(server.token_endpoint ?? "", { grant_type: "client_credentials", ...form });
    const secret = { client_id: "plain", client_secret: "secret-of-plain" };
    assert.equal((await ask({ ...secret, scope: "notes:read" })).body["scope"], "notes:read");
    assert.equal((await ask({ ...secret, scope: "notes:write" })).body["error"], "invalid_scope");
    assert.equal((await ask({ client_id: "mobile" })).body["error"], "unauthorized_client");
  });

  test("a path that is no issuer's is not found", async () => {
    for (const path of ["/a/b/c/d/e/f/g/h/i/jwks", "/%2e%2e%2fx/jwks", "/one/nothing"])
      assert.equal((await fetch(idp.urls.openid + path)).status, 404, path);
  });
});

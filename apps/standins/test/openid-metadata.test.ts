// Pushed requests, metadata and keys of the plain provider, by the letter.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { discover, post, redirectUri, standins } from "./kit.ts";
import { signIn } from "./sign-in.ts";

describe("pushed requests, metadata and keys of an OpenID provider", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  const plain = { client_id: "plain" };
  const auth = client.ClientSecretBasic("secret-of-plain");
  const basic = { authorization: `Basic ${btoa("plain:secret-of-plain")}` };
  const as = (params: Record<string, string> = {}) =>
    signIn({
      server,
      client: plain,
      auth,
      params: { login_hint: "kari", scope: "openid offline_access", ...params },
    });

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

  describe("pushed requests", () => {
    const push = (form: Record<string, string>, headers = {}) =>
      post(server.pushed_authorization_request_endpoint ?? "", form, headers);
    const good = {
      client_id: "plain",
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid",
      login_hint: "kari",
    };
    const open = (query: Record<string, string>) =>
      fetch(`${server.authorization_endpoint}?${new URLSearchParams(query)}`, { redirect: "manual" });
    test("RFC 9126 section 2.2: 201 with a reference that cannot be guessed, and its life", async () => {
      const { status, body, headers } = await push(good, basic);
      assert.equal(status, 201);
      assert.match(String(body["request_uri"]), /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/);
      assert.equal(body["expires_in"], 60);
      assert.equal(headers.get("cache-control"), "no-store");
    });
    test("RFC 9126 section 4: the reference stands for the request, once, for its own client, while it lives", async () => {
      const reference = async () => String((await push(good, basic)).body["request_uri"]);
      const first = await reference();
      assert.match(
        (await open({ client_id: "plain", request_uri: first })).headers.get("location") ?? "",
        /code=/,
      );
      assert.equal((await open({ client_id: "plain", request_uri: first })).status, 400);
      assert.equal((await open({ client_id: "other", request_uri: await reference() })).status, 400);
      const late = await reference();
      idp.moveClock(61);
      assert.equal((await open({ client_id: "plain", request_uri: late })).status, 400);
      idp.moveClock(0);
    });
    const refused: Record<
      string,
      { form: Record<string, string>; headers?: Record<string, string>; error: string }
    > = {
      "RFC 9126 section 2.1: request_uri is refused when it is pushed": {
        form: { ...good, request_uri: "urn:x" },
        headers: basic,
        error: "invalid_request",
      },
      "RFC 9126 section 2.1: no client authentication is refused when it is pushed": {
        form: good,
        error: "invalid_client",
      },
      "RFC 9126 section 2.1: credentials of another client than client_id is refused when it is pushed": {
        form: { ...good, client_id: "other" },
        headers: basic,
        error: "invalid_client",
      },
      "RFC 9126 section 2.3: a redirect_uri that is not registered is refused when it is pushed": {
        form: { ...good, redirect_uri: "https://evil.example/" },
        headers: basic,
        error: "invalid_request",
      },
      "RFC 9126 section 2.3: a scope that is not registered is refused when it is pushed": {
        form: { ...good, scope: "openid other" },
        headers: basic,
        error: "invalid_scope",
      },
      "RFC 9126 section 2.3: a response_type that is not served is refused when it is pushed": {
        form: { ...good, response_type: "token" },
        headers: basic,
        error: "unsupported_response_type",
      },
      "RFC 7636 section 4.4.1: plain is refused when it is pushed": {
        form: { ...good, code_challenge: "a".repeat(43), code_challenge_method: "plain" },
        headers: basic,
        error: "invalid_request",
      },
    };
    for (const [name, { form, headers, error }] of Object.entries(refused))
      test(name, async () => {
        const { status, body } = await push(form, headers);
        assert.equal(body["error"], error);
        assert.equal(status, error === "invalid_client" ? 401 : 400);
      });
    test("RFC 9126 section 2.3: GET is 405", async () => {
      assert.equal((await fetch(server.pushed_authorization_request_endpoint ?? "")).status, 405);
    });
  });

  describe("metadata and keys", () => {
    test("OpenID Connect Discovery section 3: the members that are required, and none that is not true", async () => {
      const metadata = (await (
        await fetch(`${idp.issuers.openid}/.well-known/openid-configuration`)
      ).json()) as Record<string, unknown>;
      for (const name of [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "scopes_supported",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "claims_supported",
      ])
        assert.ok(name in metadata, name);
      assert.deepEqual(metadata["response_types_supported"], ["code"]);
      assert.deepEqual(metadata["id_token_signing_alg_values_supported"], ["RS256"]);
      assert.equal(metadata["claims_parameter_supported"], true);
      assert.equal(metadata["request_uri_parameter_supported"], false);
      assert.equal(
        (metadata["request_object_signing_alg_values_supported"] as string[]).includes("none"),
        false,
      );
      assert.equal("registration_endpoint" in metadata, false);
    });
    test("OpenID Connect Discovery section 4.3: issuer is letter by letter the one that was asked, at any path", async () => {
      for (const issuer of [idp.issuers.openid, `${idp.issuers.openid}/realms/one`]) {
        const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as {
          issuer: string;
        };
        assert.equal(metadata.issuer, issuer);
      }
    });
    test("RFC 8414 section 3.1: the well-known part may stand before the issuer's path", async () => {
      const url = `${idp.urls.openid}/.well-known/oauth-authorization-server/realms/one`;
      const metadata = (await (await fetch(url)).json()) as { issuer: string };
      assert.equal(metadata.issuer, `${idp.issuers.openid}/realms/one`);
    });
    test("OpenID Connect Core section 10.1: a published key has kid, use and alg, and nothing private", async () => {
      const { keys } = (await (await fetch(server.jwks_uri ?? "")).json()) as {
        keys: Record<string, unknown>[];
      };
      for (const key of keys) {
        assert.equal(key["use"], "sig");
        assert.equal(key["alg"], "RS256");
        assert.equal(typeof key["kid"], "string");
        for (const part of ["d", "p", "q", "dp", "dq", "qi"]) assert.equal(part in key, false);
      }
    });
    test("OpenID Connect Core section 10.1.1: after a rotation new tokens have a new kid, and old ones still verify", async () => {
      const before_ = (await as()).tokens.id_token ?? "";
      await idp.rotateKeys("openid");
      const after_ = (await as()).tokens.id_token ?? "";
      assert.notEqual(decodeProtectedHeader(after_).kid, decodeProtectedHeader(before_).kid);
      const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ""));
      for (const token of [before_, after_])
        await jwtVerify(token, keys, { issuer: server.issuer, audience: "plain" });
    });
    test("RFC 8414 section 3: pages of other origins may read metadata and keys", async () => {
      for (const url of [
        `${idp.issuers.openid}/.well-known/openid-configuration`,
        server.jwks_uri ?? "",
        `${idp.issuers.idporten}/.well-known/openid-configuration`,
      ])
        assert.equal((await fetch(url)).headers.get("access-control-allow-origin"), "*");
      const { status } = await fetch((await discover(idp.issuers.idporten)).token_endpoint ?? "", {
        method: "OPTIONS",
      });
      assert.equal(status, 405, "ID-porten's token endpoint is not for pages");
    });
  });
});

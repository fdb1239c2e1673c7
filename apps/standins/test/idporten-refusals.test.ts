import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { assertion, browser, discover, post, redirectUri, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const good = {
  client_id: "by-secret",
  redirect_uri: redirectUri,
  response_type: "code",
  scope: "openid",
  state: "s",
  nonce: "n",
  code_challenge: challenge,
  code_challenge_method: "S256",
  login_hint: "kari",
};
type Changes = Record<string, string | undefined>;

describe("ID-porten refuses what production would refuse", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  before(async () => {
    idp = await standins();
    server = await discover(idp.issuers.idporten);
  });
  after(() => idp.close());

  const withChanges = (changes: Changes): URLSearchParams => {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...good, ...changes }))
      if (value !== undefined) params.set(name, value);
    return params;
  };

  describe("at /authorize with an error page, because nobody may be redirected", () => {
    const cases: { name: string; changes: Changes; says: RegExp }[] = [
      { name: "an unknown client", changes: { client_id: "nobody" }, says: /client_id is not registered/ },
      { name: "no client", changes: { client_id: undefined }, says: /client_id/ },
      {
        name: "a redirect URI that is not registered",
        changes: { redirect_uri: "https://evil.example/cb" },
        says: /redirect URI is not registered/,
      },
      {
        name: "a redirect URI with a path more",
        changes: { redirect_uri: `${redirectUri}/more` },
        says: /redirect URI is not registered/,
      },
      {
        name: "a redirect URI with a query more",
        changes: { redirect_uri: `${redirectUri}?a=b` },
        says: /redirect URI is not registered/,
      },
      {
        name: "no redirect URI",
        changes: { redirect_uri: undefined },
        says: /redirect URI is not registered/,
      },
      {
        name: "RFC 9126 section 4: an unknown request_uri",
        changes: { request_uri: "urn:idporten:none" },
        says: /request_uri is unknown/,
      },
    ];
    for (const { name, changes, says } of cases) {
      test(name, async () => {
        const response = await fetch(`${server.authorization_endpoint}?${withChanges(changes)}`, {
          redirect: "manual",
        });
        assert.equal(response.status, 400);
        assert.equal(response.headers.get("location"), null);
        assert.match(await response.text(), says);
      });
    }
  });

  describe("at the redirect URI, with state and iss", () => {
    const cases: { name: string; changes: Changes; error: string }[] = [
      {
        name: "RFC 7636 section 4.4.1: no code_challenge",
        changes: { code_challenge: undefined },
        error: "invalid_request",
      },
      {
        name: "RFC 9700 section 2.1.1: PKCE with plain",
        changes: { code_challenge_method: "plain" },
        error: "invalid_request",
      },
      {
        name: "RFC 7636 section 4.3: no method, which would mean plain",
        changes: { code_challenge_method: undefined },
        error: "invalid_request",
      },
      {
        name: "a padded code_challenge",
        changes: { code_challenge: `${challenge}=` },
        error: "invalid_request",
      },
      { name: "no nonce", changes: { nonce: undefined }, error: "invalid_request" },
      {
        name: "the implicit grant",
        changes: { response_type: "id_token" },
        error: "unsupported_response_type",
      },
      { name: "no response_type", changes: { response_type: undefined }, error: "invalid_request" },
      {
        name: "an unknown response_mode",
        changes: { response_mode: "web_message" },
        error: "invalid_request",
      },
      { name: "no openid in scope", changes: { scope: "profile" }, error: "invalid_scope" },
      {
        name: "a scope that is not registered",
        changes: { scope: "openid agency:letters" },
        error: "invalid_scope",
      },
      { name: "an unknown level", changes: { acr_values: "Level4" }, error: "invalid_request" },
      {
        name: "a prompt that ID-porten does not have",
        changes: { prompt: "consent" },
        error: "invalid_request",
      },
      {
        name: "OpenID Connect Core section 3.1.2.1: prompt=none beside another",
        changes: { prompt: "none login" },
        error: "invalid_request",
      },
      { name: "prompt=none without a session", changes: { prompt: "none" }, error: "login_required" },
      {
        name: "a level above the persona's",
        changes: { acr_values: "idporten-loa-high", login_hint: "ola" },
        error: "access_denied",
      },
      { name: "a persona who cancels", changes: { login_hint: "avbryt" }, error: "access_denied" },
      { name: "max_age that is no number", changes: { max_age: "soon" }, error: "invalid_request" },
      {
        name: "RFC 8707 section 2: a resource that is not registered",
        changes: { client_id: "portal", resource: "https://evil.example" },
        error: "invalid_target",
      },
    ];
    for (const { name, changes, error } of cases) {
      test(name, async () => {
        const response = await fetch(`${server.authorization_endpoint}?${withChanges(changes)}`, {
          redirect: "manual",
        });
        const location = new URL(response.headers.get("location") ?? "about:blank");
        // Multiple Response Types section 5: the implicit grant is answered in the fragment.
        const answer =
          location.hash === "" ? location.searchParams : new URLSearchParams(location.hash.slice(1));
        assert.equal(answer.get("error"), error);
        assert.equal(answer.get("state"), "s");
        assert.equal(answer.get("iss"), idp.issuers.idporten);
        assert.equal(answer.has("code"), false);
      });
    }
    test("no state", async () => {
      const response = await fetch(`${server.authorization_endpoint}?${withChanges({ state: undefined })}`, {
        redirect: "manual",
      });
      assert.equal(
        new URL(response.headers.get("location") ?? "").searchParams.get("error"),
        "invalid_request",
      );
    });
  });

  describe("a client that does not prove itself", () => {
    const issuer = (): string => idp.issuers.idporten;
    const usual = () => ({ iss: "portal", sub: "portal", aud: issuer() });
    const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    const cases: {
      name: string;
      form: () => Promise<Record<string, string>>;
      headers?: Record<string, string>;
      error?: string;
    }[] = [
      { name: "an unknown client", form: async () => ({ client_id: "nobody", client_secret: "secret" }) },
      {
        name: "a wrong secret",
        form: async () => ({ client_id: "by-secret", client_secret: "secret-of-by-secreT" }),
      },
      {
        name: "a wrong secret by Basic",
        form: async () => ({}),
        headers: { authorization: `Basic ${btoa("by-secret:wrong")}` },
      },
      {
        name: "RFC 6749 section 2.3.1: Basic that cannot be decoded",
        form: async () => ({}),
        headers: { authorization: `Basic ${btoa("%FF:x")}` },
      },
      { name: "no proof at all", form: async () => ({ client_id: "by-secret" }) },
      {
        name: "a secret for a client with keys",
        form: async () => ({ client_id: "portal", client_secret: "secret" }),
      },
      {
        name: "RFC 6749 section 2.3: two methods at once",
        form: async () => ({ client_id: "by-secret", client_secret: "secret-of-by-secret" }),
        headers: { authorization: `Basic ${btoa("by-secret:secret-of-by-secret")}` },
        error: "invalid_request",
      },
      {
        name: "RFC 7523 section 3: a bad signature",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), { key: "stranger" }),
        }),
      },
      {
        name: "an unknown kid",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), { header: { kid: "other" } }),
        }),
      },
      {
        name: "a wrong audience",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), { claims: { aud: "https://idporten.no" } }),
        }),
      },
      {
        name: "an expired assertion",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), { claims: { iat: 1_700_000_000, exp: 1_700_000_060 } }),
        }),
      },
      {
        name: "an assertion that lives for an hour",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), {
            claims: { exp: Math.floor(Date.now() / 1000) + 3600 },
          }),
        }),
      },
      {
        name: "iss and sub that differ",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), { claims: { iss: "by-secret" } }),
        }),
      },
      {
        name: "an assertion for another client_id",
        form: async () => ({
          client_id: "by-secret",
          client_assertion_type: type,
          client_assertion: await assertion(usual()),
        }),
      },
      {
        name: "no jti",
        form: async () => ({
          client_id: "portal",
          client_assertion_type: type,
          client_assertion: await assertion(usual(), { without: ["jti"] }),
        }),
      },
    ];
    for (const endpoint of ["token", "par"] as const) {
      for (const { name, form, headers, error } of cases) {
        test(`/${endpoint}: ${name}`, async () => {
          const url =
            endpoint === "token" ? server.token_endpoint : server.pushed_authorization_request_endpoint;
          const answer = await post(
            url ?? "",
            { grant_type: "authorization_code", code: "x", redirect_uri: redirectUri, ...(await form()) },
            headers,
          );
          assert.equal(answer.body["error"], error ?? "invalid_client");
          assert.equal(answer.status, error === undefined ? 401 : 400);
          assert.equal(answer.headers.get("cache-control"), "no-store");
        });
      }
    }
    test("RFC 7523 section 3: a jti used twice", async () => {
      const once = {
        client_id: "portal",
        client_assertion_type: type,
        client_assertion: await assertion(usual()),
        token: "x",
      };
      assert.equal((await post(server.introspection_endpoint ?? "", once)).status, 200);
      const again = await post(server.introspection_endpoint ?? "", once);
      assert.equal(again.body["error"], "invalid_client");
      assert.match(String(again.body["error_description"]), /used before/);
    });
  });

  describe("a code", () => {
    const bySecret = { client_id: "by-secret", client_secret: "secret-of-by-secret" };
    const fresh = async (): Promise<{ code: string; verifier: string }> => {
      const { callback, verifier } = await request({
        server,
        client: { client_id: "by-secret" },
        auth: client.None(),
        params: { login_hint: "kari" },
      });
      return { code: callback.searchParams.get("code") ?? "", verifier };
    };
    const redeem = (form: Record<string, string>) =>
      post(server.token_endpoint ?? "", {
        grant_type: "authorization_code",
        redirect_uri: redirectUri,
        ...bySecret,
        ...form,
      });
    const refused = async (form: Record<string, string>, error = "invalid_grant"): Promise<void> => {
      const { status, body } = await redeem(form);
      assert.equal(body["error"], error);
      assert.equal(status, 400);
      assert.equal("access_token" in body, false);
    };

    test("RFC 6749 section 4.1.2: used twice, and then the first tokens are revoked", async () => {
      const { code, verifier } = await fresh();
      const first = await redeem({ code, code_verifier: verifier });
      assert.equal(first.status, 200);
      await refused({ code, code_verifier: verifier });
      const refresh = await post(server.token_endpoint ?? "", {
        grant_type: "refresh_token",
        refresh_token: String(first.body["refresh_token"]),
        ...bySecret,
      });
      assert.equal(refresh.body["error"], "invalid_grant");
    });
    test("RFC 7636 section 4.6: a wrong verifier, and the code is spent", async () => {
      const { code, verifier } = await fresh();
      await refused({ code, code_verifier: "a".repeat(43) });
      await refused({ code, code_verifier: verifier });
    });
    test("RFC 7636 section 4.5: no verifier", async () => refused({ code: (await fresh()).code }));
    test("RFC 6749 section 4.1.3: another redirect_uri", async () => {
      const { code, verifier } = await fresh();
      await refused({ code, code_verifier: verifier, redirect_uri: "https://app.example/other" });
    });
    test("no redirect_uri", async () => refused({ ...(await fresh()), redirect_uri: "" }, "invalid_request"));
    test("of another client", async () => {
      const { code, verifier } = await fresh();
      await refused({
        code,
        code_verifier: verifier,
        client_id: "by-reference",
        client_secret: "secret-of-by-reference",
      });
    });
    test("that nobody issued", () => refused({ code: "nonsense", code_verifier: "a".repeat(43) }));
    test("after two minutes", async () => {
      const { code, verifier } = await fresh();
      idp.moveClock(121);
      await refused({ code, code_verifier: verifier });
      idp.moveClock(0);
    });
    test("a grant type that ID-porten does not have", () =>
      refused({ grant_type: "password", username: "kari", password: "x" }, "unsupported_grant_type"));
    test("RFC 6749 section 3.2: a parameter twice", async () => {
      const body = new URLSearchParams({ grant_type: "authorization_code", code: "a", ...bySecret });
      body.append("code", "b");
      const response = await fetch(server.token_endpoint ?? "", { method: "POST", body });
      assert.equal(response.status, 400);
      assert.equal(((await response.json()) as { error: string }).error, "invalid_request");
    });
  });

  describe("a pushed request (RFC 9126)", () => {
    const pushed = async (changes: Changes = {}): Promise<Record<string, unknown>> => {
      const body = withChanges({ login_hint: "kari", ...changes });
      body.set("client_secret", "secret-of-by-secret");
      return (await post(server.pushed_authorization_request_endpoint ?? "", Object.fromEntries(body))).body;
    };
    const open = (query: Record<string, string>) =>
      browser().open(`${server.authorization_endpoint}?${new URLSearchParams(query)}`);

    test("is judged at once", async () =>
      assert.equal((await pushed({ code_challenge: undefined }))["error"], "invalid_request"));
    test("section 2.1: must not hold a request_uri", async () =>
      assert.equal((await pushed({ request_uri: "urn:idporten:x" }))["error"], "invalid_request"));
    test("section 7.3: is good once, for its own client, for 120 seconds, with nothing beside it", async () => {
      const first = await pushed();
      assert.equal(first["expires_in"], 120);
      const reference = String(first["request_uri"]);
      assert.match(reference, /^urn:idporten:[\w-]{43}$/);
      assert.equal((await open({ client_id: "portal", request_uri: reference })).status, 400);
      assert.equal(
        (await open({ client_id: "by-secret", request_uri: reference, scope: "openid" })).status,
        400,
      );
      assert.equal((await open({ client_id: "by-secret", request_uri: reference })).status, 303);
      assert.equal((await open({ client_id: "by-secret", request_uri: reference })).status, 400);
      const late = String((await pushed())["request_uri"]);
      idp.moveClock(121);
      assert.equal((await open({ client_id: "by-secret", request_uri: late })).status, 400);
      idp.moveClock(0);
    });
  });

  describe("logout", () => {
    const signedIn = async () =>
      signIn({
        server,
        client: { client_id: "portal" },
        auth: client.PrivateKeyJwt(await (await import("./kit.ts")).privateKey()),
        params: { login_hint: "kari" },
      });
    const out = async (query: Record<string, string>, tab?: ReturnType<typeof browser>) =>
      (tab ?? (await signedIn()).tab).open(`${server.end_session_endpoint}?${new URLSearchParams(query)}`);
    const cases: { name: string; query: Record<string, string> }[] = [
      {
        name: "a URI that is not registered",
        query: { client_id: "portal", post_logout_redirect_uri: "https://evil.example/" },
      },
      {
        name: "a URI without a client",
        query: { post_logout_redirect_uri: "https://app.example/signed-out" },
      },
      {
        name: "a hint that is no ID token of ours",
        query: { id_token_hint: "a.b.c", post_logout_redirect_uri: "https://app.example/signed-out" },
      },
      {
        name: "state that is not printable",
        query: {
          client_id: "portal",
          post_logout_redirect_uri: "https://app.example/signed-out",
          state: "a\nb",
        },
      },
    ];
    for (const { name, query } of cases) {
      test(`shows a page and redirects nobody: ${name}`, async () => {
        const response = await out(query);
        assert.equal(response.status, 400);
        assert.equal(response.headers.get("location"), null);
      });
    }
    test("takes an ID token that has expired as a hint", async () => {
      const { tokens, tab } = await signedIn();
      idp.moveClock(900);
      const query = {
        id_token_hint: tokens.id_token ?? "",
        post_logout_redirect_uri: "https://app.example/signed-out",
        state: "x",
      };
      const response = await out(query, tab);
      idp.moveClock(0);
      assert.equal(response.headers.get("location"), "https://app.example/signed-out?state=x");
    });
    test("takes no access token for an ID token, though it is signed and typed alike", async () => {
      const { tokens, tab } = await signedIn();
      const response = await out({ id_token_hint: tokens.access_token }, tab);
      assert.equal(response.status, 400);
      assert.match(await response.text(), /id_token_hint/);
    });
    test("shows an error page to a browser that has not the provider's cookie", async () => {
      const { tokens } = await signedIn();
      const query = {
        id_token_hint: tokens.id_token ?? "",
        post_logout_redirect_uri: "https://app.example/signed-out",
      };
      const response = await out(query, browser());
      assert.equal(response.status, 400);
      assert.equal(response.headers.get("location"), null);
      assert.match(await response.text(), /no session/);
    });
  });

  describe("a request object (RFC 9101)", () => {
    const inner = () => ({ ...good, client_id: "portal", iss: "portal", aud: idp.issuers.idporten });
    const open = async (object: string) =>
      fetch(
        `${server.authorization_endpoint}?${new URLSearchParams({ client_id: "portal", request: object, scope: "openid agency:letters" })}`,
        { redirect: "manual" },
      );
    test("section 6.3: only what is inside counts", async () => {
      const response = await open(await assertion(inner()));
      assert.match(response.headers.get("location") ?? "", /[?&]code=/);
    });
    test("section 6.2: a bad signature", async () =>
      assert.equal((await open(await assertion(inner(), { key: "stranger" }))).status, 400));
    test("another client inside", async () =>
      assert.equal((await open(await assertion({ ...inner(), client_id: "by-secret" }))).status, 400));
    test("another audience", async () =>
      assert.equal((await open(await assertion({ ...inner(), aud: "https://x.example" }))).status, 400));
  });
});

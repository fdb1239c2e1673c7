// The authorization endpoint of the plain provider, by the letter of the specifications.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "oauth4webapi";
import { decodeJwt } from "jose";
import { startStandins, type Standins } from "../src/index.ts";
import {
  assertion,
  browser,
  clientJwks,
  discover,
  press,
  redirectUri,
  registrations,
  standins,
} from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

describe("the authorization endpoint of an OpenID provider", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  const plain = { client_id: "plain" };
  const auth = client.ClientSecretBasic("secret-of-plain");
  const as = (params: Record<string, string>, tab?: ReturnType<typeof browser>) =>
    signIn({ server, client: plain, auth, params, ...(tab === undefined ? {} : { tab }) });
  const asked = (params: Record<string, string>, tab?: ReturnType<typeof browser>) =>
    request({ server, client: plain, auth, params, ...(tab === undefined ? {} : { tab }) });
  const good = { client_id: "plain", redirect_uri: redirectUri, response_type: "code", scope: "openid" };
  const open = (query: string | Record<string, string>, init: RequestInit = {}) =>
    fetch(`${server.authorization_endpoint}?${new URLSearchParams(query)}`, { redirect: "manual", ...init });
  const toldAt = (response: Response) => new URL(response.headers.get("location") ?? "about:blank");

  before(async () => {
    idp = await standins();
    idp.register({
      openid: {
        clients: [
          { client_id: "signs", jwks: clientJwks, redirect_uris: [redirectUri, `${redirectUri}?a=b`] },
        ],
      },
    });
    server = await discover(idp.issuers.openid);
  });
  after(() => idp.close());

  describe("who is signed in", () => {
    test("OpenID Connect Core section 3.1.2.1: prompt=none without a session is login_required", async () => {
      const { callback, state } = await asked({ prompt: "none" });
      assert.equal(callback.searchParams.get("error"), "login_required");
      assert.equal(callback.searchParams.get("state"), state);
    });
    test("OpenID Connect Core section 3.1.2.1: prompt=none with a session answers without a page, for the same sub", async () => {
      const { tab, claims } = await as({ login_hint: "kari" });
      assert.equal((await as({ prompt: "none" }, tab)).claims.sub, claims.sub);
    });
    test("OpenID Connect Core section 3.1.2.1: prompt=none beside another value is refused", async () => {
      const { callback } = await asked({ prompt: "none login", login_hint: "kari" });
      assert.equal(callback.searchParams.get("error"), "invalid_request");
    });
    for (const [prompt, name] of [
      ["login", "OpenID Connect Core section 3.1.2.1: prompt=login shows the page though there is a session"],
      [
        "consent",
        "OpenID Connect Core section 3.1.2.1: prompt=consent shows the page though there is a session",
      ],
      [
        "select_account",
        "OpenID Connect Core section 3.1.2.1: prompt=select_account shows the page though there is a session",
      ],
    ] as const)
      test(name, async () => {
        const { tab } = await as({ login_hint: "kari" });
        const page = await tab.open(
          `${server.authorization_endpoint}?${new URLSearchParams({ ...good, prompt })}`,
        );
        assert.equal(page.status, 200);
        const location = toldAt(await press(page, tab, { persona: "kari" }));
        assert.ok(location.searchParams.has("code"));
      });
    test("OpenID Connect Core section 3.1.2.1: prompt=login makes auth_time new", async () => {
      const { tab, claims } = await as({ login_hint: "kari" });
      idp.moveClock(60);
      const again = await as({ prompt: "login", login_hint: "kari" }, tab);
      idp.moveClock(0);
      assert.ok(Number(again.claims.auth_time) >= Number(claims.auth_time) + 59);
    });
    test("OpenID Connect Core section 3.1.2.1: a prompt that is not known is refused", async () => {
      const { callback } = await asked({ prompt: "dance" });
      assert.equal(callback.searchParams.get("error"), "invalid_request");
    });
    test("OpenID Connect Core section 3.1.2.1: max_age asks again when it has passed, and auth_time tells", async () => {
      const { tab, claims } = await as({ login_hint: "kari" });
      idp.moveClock(100);
      const within = await as({ max_age: "10000" }, tab);
      assert.equal(within.claims.auth_time, claims.auth_time);
      const { callback } = await asked({ max_age: "30", prompt: "none" }, tab);
      assert.equal(callback.searchParams.get("error"), "login_required");
      const past = await as({ max_age: "30", login_hint: "kari" }, tab);
      idp.moveClock(0);
      assert.ok(Number(past.claims.auth_time) > Number(claims.auth_time));
    });
    test("OpenID Connect Core section 3.1.2.1: max_age=0 is a new sign-in", async () => {
      // In the very second of the first one, too.
      await using frozen = await startStandins({ now: () => 1_800_000_000, registrations });
      const ask = async (params: Record<string, string>, cookie = "") =>
        fetch(`${frozen.issuers.openid}/authorize?${new URLSearchParams({ ...good, ...params })}`, {
          redirect: "manual",
          headers: { cookie },
        });
      const first = await ask({ login_hint: "kari" });
      const cookie = first.headers
        .getSetCookie()
        .map((one) => one.split(";")[0])
        .join("; ");
      assert.match((await ask({ prompt: "none" }, cookie)).headers.get("location") ?? "", /[?]code=/);
      const answer = await ask({ prompt: "none", max_age: "0" }, cookie);
      assert.match(answer.headers.get("location") ?? "", /error=login_required/);
    });
    test("OpenID Connect Core section 3.1.2.1: max_age that is no number is refused", async () => {
      const { callback } = await asked({ max_age: "-1" });
      assert.equal(callback.searchParams.get("error"), "invalid_request");
    });
    test("OpenID Connect Core section 3.1.2.1: id_token_hint of whoever is signed in succeeds with prompt=none", async () => {
      const { tab, tokens, claims } = await as({ login_hint: "kari" });
      const hinted = await as({ prompt: "none", id_token_hint: tokens.id_token ?? "" }, tab);
      assert.equal(hinted.claims.sub, claims.sub);
    });
    test("OpenID Connect Core section 3.1.2.1: id_token_hint of somebody else is login_required", async () => {
      const other = await as({ login_hint: "ola" });
      const { tab } = await as({ login_hint: "kari" });
      const silent = await asked({ prompt: "none", id_token_hint: other.tokens.id_token ?? "" }, tab);
      assert.equal(silent.callback.searchParams.get("error"), "login_required");
      const chosen = await asked({ id_token_hint: other.tokens.id_token ?? "", login_hint: "kari" }, tab);
      assert.equal(chosen.callback.searchParams.get("error"), "login_required");
    });
    test("OpenID Connect Core section 3.1.2.1: an id_token_hint that was altered is refused", async () => {
      const { tokens } = await as({ login_hint: "kari" });
      const [header, , signature] = (tokens.id_token ?? "").split(".");
      const payload = Buffer.from(JSON.stringify({ ...decodeJwt(tokens.id_token ?? ""), sub: "x" }));
      const { callback } = await asked({
        prompt: "none",
        id_token_hint: `${header}.${payload.toString("base64url")}.${signature}`,
      });
      assert.equal(callback.searchParams.get("error"), "invalid_request");
    });
    test("OpenID Connect Core section 3.1.2.1: an access token is no id_token_hint", async () => {
      const { tokens, tab } = await as({ login_hint: "kari" });
      const { callback } = await asked({ prompt: "none", id_token_hint: tokens.access_token }, tab);
      assert.equal(callback.searchParams.get("error"), "invalid_request");
    });
    test("OpenID Connect Core section 3.1.2.6: cancelling is access_denied", async () => {
      const { callback, state } = await asked({ login_hint: "avbryt" });
      assert.equal(callback.searchParams.get("error"), "access_denied");
      assert.equal(callback.searchParams.get("state"), state);
    });
  });

  describe("claims", () => {
    test("OpenID Connect Core section 2: the ID token has iss, sub, aud, exp, iat, auth_time, nonce and a right at_hash", async () => {
      const { tokens, claims } = await as({ login_hint: "kari" });
      for (const name of ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "azp"])
        assert.ok(name in claims, name);
      const hash = await crypto.subtle.digest("SHA-256", Buffer.from(tokens.access_token, "ascii"));
      assert.equal(claims["at_hash"], Buffer.from(hash).subarray(0, 16).toString("base64url"));
    });
    test("OpenID Connect Core section 3.1.2.1: without a nonce the ID token has none", async () => {
      const tab = browser();
      const answer = toldAt(
        await tab.open(
          `${server.authorization_endpoint}?${new URLSearchParams({ ...good, login_hint: "kari" })}`,
        ),
      );
      const response = await fetch(server.token_endpoint ?? "", {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "authorization_code",
          code: answer.searchParams.get("code") ?? "",
          redirect_uri: redirectUri,
          client_id: "plain",
          client_secret: "secret-of-plain",
        }),
      });
      const { id_token } = (await response.json()) as { id_token: string };
      assert.equal("nonce" in decodeJwt(id_token), false);
    });
    const scopeNames: Record<string, string> = {
      profile: "OpenID Connect Core section 5.4: scope profile brings its claims, and no other scope's",
      email: "OpenID Connect Core section 5.4: scope email brings its claims, and no other scope's",
      address: "OpenID Connect Core section 5.4: scope address brings its claims, and no other scope's",
      phone: "OpenID Connect Core section 5.4: scope phone brings its claims, and no other scope's",
    };
    for (const [scope, names] of Object.entries({
      profile: [
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
      ],
      email: ["email", "email_verified"],
      address: ["address"],
      phone: ["phone_number", "phone_number_verified"],
    }))
      test(scopeNames[scope] ?? scope, async () => {
        idp.register({ openid: { clients: [{ ...registration, client_id: "scoped" }] } });
        const { tokens } = await signIn({
          server,
          client: { client_id: "scoped" },
          auth: client.ClientSecretPost("secret-of-scoped"),
          params: { scope: `openid ${scope}`, login_hint: "kari" },
        });
        const info = await userinfo(tokens.access_token);
        assert.deepEqual(Object.keys(info).toSorted(), ["sub", ...names].toSorted());
      });
    const registration = { client_secret: "secret-of-scoped", redirect_uris: [redirectUri] };
    const userinfo = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await (await fetch(server.userinfo_endpoint ?? "", { headers })).json()) as Record<
        string,
        unknown
      >;
    };
    test("OpenID Connect Core section 5.5: the claims parameter asks for single claims, here and there", async () => {
      const wish = { userinfo: { name: { essential: true }, email: null }, id_token: { nickname: null } };
      const { tokens, claims } = await as({ login_hint: "kari", claims: JSON.stringify(wish) });
      const info = await userinfo(tokens.access_token);
      assert.equal(info["name"], "Kari Fjellrev");
      assert.equal(info["email"], "kari@people.example");
      assert.equal("nickname" in info || "given_name" in info, false);
      assert.equal(claims["nickname"], "Kari");
      assert.equal("name" in claims, false);
    });
    for (const [name, value] of Object.entries({
      "OpenID Connect Core section 5.5: claims that is no JSON is refused": "{",
      "OpenID Connect Core section 5.5: claims that is no object is refused": "[]",
      "OpenID Connect Core section 5.5: claims with no object within is refused": '{"userinfo":{"name":1}}',
    }))
      test(name, async () => {
        const { callback } = await asked({ claims: value, login_hint: "kari" });
        assert.equal(callback.searchParams.get("error"), "invalid_request");
      });
    test("OpenID Connect Core section 5.5.1: members that are not understood are ignored", async () => {
      const wish = { other: {}, userinfo: { unheard_of: { essential: true, odd: 1 } } };
      const { claims } = await as({ login_hint: "kari", claims: JSON.stringify(wish) });
      assert.ok(claims.sub);
    });
    test("OpenID Connect Core section 3.1.2.2: a wished sub is answered with that person, or not at all", async () => {
      const ola = (await as({ login_hint: "ola" })).claims.sub;
      const { tab } = await as({ login_hint: "kari" });
      const claims = JSON.stringify({ id_token: { sub: { value: ola } } });
      const silent = await asked({ prompt: "none", claims }, tab);
      assert.equal(silent.callback.searchParams.get("error"), "login_required");
      assert.equal((await as({ claims, login_hint: "ola" }, tab)).claims.sub, ola);
    });
    test("OpenID Connect Core section 5.5.1.1: acr by acr_values, and an essential one that nobody reaches fails", async () => {
      assert.equal((await as({ login_hint: "kari", acr_values: "9 2" })).claims["acr"], "2");
      const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ["9"] } } });
      const { callback } = await asked({ login_hint: "kari", claims });
      assert.equal(callback.searchParams.get("error"), "access_denied");
    });
  });

  describe("requests", () => {
    test("OpenID Connect Core section 3.1.2.1: by POST as by GET", async () => {
      const body = new URLSearchParams({ ...good, login_hint: "kari", state: "s" });
      const response = await fetch(server.authorization_endpoint ?? "", {
        method: "POST",
        body,
        redirect: "manual",
      });
      assert.ok(toldAt(response).searchParams.has("code"));
    });
    for (const [name, value] of Object.entries({
      "OpenID Connect Core section 3.1.2.1: display is taken or ignored, never refused": "popup",
      "OpenID Connect Core section 3.1.2.1: ui_locales is taken or ignored, never refused": "se fr",
      "OpenID Connect Core section 3.1.2.1: claims_locales is taken or ignored, never refused": "se",
      "OpenID Connect Core section 3.1.2.1: unheard_of is taken or ignored, never refused": "x",
      "OpenID Connect Core section 3.1.2.1: login_hint is taken or ignored, never refused":
        "nobody@nowhere.example",
    }))
      test(name, async () => {
        const parameter = /: (\w+) /.exec(name)?.[1] ?? "";
        const response = await open({ ...good, [parameter]: value });
        assert.equal(response.status, 200);
        assert.match(await response.text(), /<form method="post"/);
      });
    test("RFC 6749 section 3.1: a parameter without a value counts as absent", async () => {
      const response = await open({ ...good, prompt: "", max_age: "", login_hint: "kari" });
      assert.ok(toldAt(response).searchParams.has("code"));
    });
    const refused: { name: string; query: string; error: string }[] = [
      {
        name: "RFC 6749 section 4.1.2.1: no response_type is told at the redirect URI, with state and iss",
        query: "scope=openid",
        error: "invalid_request",
      },
      {
        name: "RFC 6749 section 3.1.1: a response_type that is not served is told at the redirect URI, with state and iss",
        query: "scope=openid&response_type=none",
        error: "unsupported_response_type",
      },
      {
        name: "RFC 6749 section 3.1: a parameter that is repeated is told at the redirect URI, with state and iss",
        query: "scope=openid&response_type=code&nonce=a&nonce=b",
        error: "invalid_request",
      },
      {
        name: "RFC 6749 section 3.3: a scope that is not registered is told at the redirect URI, with state and iss",
        query: "scope=openid%20other&response_type=code",
        error: "invalid_scope",
      },
      {
        name: "RFC 7636 section 4.4.1: a transformation that is not served is told at the redirect URI, with state and iss",
        query: `scope=openid&response_type=code&code_challenge=${"a".repeat(43)}&code_challenge_method=plain`,
        error: "invalid_request",
      },
      {
        name: "RFC 7636 section 4.3: a method without a challenge is told at the redirect URI, with state and iss",
        query: "scope=openid&response_type=code&code_challenge_method=S256",
        error: "invalid_request",
      },
      {
        name: "OpenID Connect Core section 3.1.2.6: a request_uri of the client's own is told at the redirect URI, with state and iss",
        query: "scope=openid&response_type=code&request_uri=https%3A%2F%2Fapp.example%2Fobject",
        error: "request_uri_not_supported",
      },
      {
        name: "OpenID Connect Core section 6.1: a request object without a signature is told at the redirect URI, with state and iss",
        query: `scope=openid&response_type=code&request=${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from('{"client_id":"plain"}').toString("base64url")}.`,
        error: "invalid_request_object",
      },
    ];
    for (const { name, query, error } of refused)
      test(name, async () => {
        const response = await open(
          `client_id=plain&redirect_uri=${encodeURIComponent(redirectUri)}&state=st%20ate&${query}`,
        );
        const location = toldAt(response);
        assert.equal(location.origin + location.pathname, redirectUri);
        assert.equal(location.searchParams.get("error"), error);
        assert.equal(location.searchParams.get("state"), "st ate");
        assert.equal(location.searchParams.get("iss"), idp.issuers.openid, "RFC 9207 section 2");
      });
    for (const [type, name] of [
      ["id_token", "OAuth 2.0 Multiple Response Types section 5: id_token is refused in the fragment"],
      [
        "token id_token",
        "OAuth 2.0 Multiple Response Types section 5: token id_token is refused in the fragment",
      ],
      [
        "code id_token",
        "OAuth 2.0 Multiple Response Types section 5: code id_token is refused in the fragment",
      ],
    ] as const)
      test(name, async () => {
        const location = toldAt(await open({ ...good, response_type: type, state: "s" }));
        assert.match(location.hash, /error=unsupported_response_type/);
        assert.equal(location.search, "");
      });
    const direct: { name: string; query: Record<string, string> | string }[] = [
      {
        name: "RFC 6749 section 4.1.2.1: no client_id is a page, and redirects nobody",
        query: { redirect_uri: redirectUri },
      },
      {
        name: "RFC 6749 section 4.1.2.1: an unknown client is a page, and redirects nobody",
        query: { ...good, client_id: "nobody" },
      },
      {
        name: "RFC 6749 section 4.1.2.1: no redirect_uri is a page, and redirects nobody",
        query: { client_id: "plain", response_type: "code", scope: "openid" },
      },
      {
        name: "RFC 6749 section 4.1.2.1: a redirect_uri that is not registered is a page, and redirects nobody",
        query: { ...good, redirect_uri: "https://evil.example/" },
      },
      {
        name: "RFC 6749 section 4.1.2.1: a redirect_uri with something added is a page, and redirects nobody",
        query: { ...good, redirect_uri: `${redirectUri}?x=y` },
      },
      {
        name: "RFC 6749 section 4.1.2.1: redirect_uri twice is a page, and redirects nobody",
        query: `${new URLSearchParams(good)}&redirect_uri=${encodeURIComponent(redirectUri)}`,
      },
      {
        name: "RFC 6749 section 4.1.2.1: client_id twice is a page, and redirects nobody",
        query: `${new URLSearchParams(good)}&client_id=plain`,
      },
    ];
    for (const { name, query } of direct)
      test(name, async () => {
        const response = await open(query);
        assert.equal(response.status, 400);
        assert.equal(response.headers.get("location"), null);
        assert.match(response.headers.get("content-type") ?? "", /text\/html/);
      });
    test("RFC 6749 section 3.1.2: a query of the redirect URI is kept", async () => {
      const location = toldAt(
        await open({ ...good, client_id: "signs", redirect_uri: `${redirectUri}?a=b`, login_hint: "kari" }),
      );
      assert.equal(location.searchParams.get("a"), "b");
      assert.ok(location.searchParams.has("code"));
    });
  });

  describe("request objects (RFC 9101, OpenID Connect Core section 6)", () => {
    const inner = () => ({
      ...good,
      client_id: "signs",
      iss: "signs",
      aud: idp.issuers.openid,
      state: "inner",
      login_hint: "kari",
    });
    const object = (claims: Record<string, unknown>, more = {}) => assertion({ ...inner(), ...claims }, more);
    const outer = { ...good, client_id: "signs", state: "outer" };
    test("RFC 9101 section 6.3: what stands in the object counts, nested claims too", async () => {
      const claims = { userinfo: { name: null } };
      const location = toldAt(await open({ ...outer, request: await object({ claims }) }));
      assert.equal(location.searchParams.get("state"), "inner");
      assert.ok(location.searchParams.has("code"));
    });
    const cases: Record<string, () => Promise<string>> = {
      "RFC 9101 section 6.2: a stranger's signature is invalid_request_object": () =>
        object({}, { key: "stranger" }),
      "RFC 9101 section 6.2: another client is invalid_request_object": () => object({ client_id: "plain" }),
      "RFC 9101 section 6.2: another audience is invalid_request_object": () =>
        object({ aud: "https://other.example" }),
      "RFC 9101 section 6.2: another response_type than beside it is invalid_request_object": () =>
        object({ response_type: "token" }),
      "RFC 9101 section 6.2: a request object within is invalid_request_object": () =>
        object({ request: "x" }),
      "RFC 9101 section 6.2: nothing that can be read is invalid_request_object": () =>
        Promise.resolve("x.y.z"),
    };
    for (const [name, make] of Object.entries(cases))
      test(name, async () => {
        const location = toldAt(await open({ ...outer, request: await make() }));
        assert.equal(location.searchParams.get("error"), "invalid_request_object");
        assert.equal(location.searchParams.get("state"), "outer");
      });
  });

  describe("answers", () => {
    test("RFC 9207 section 2: iss is in the answer, with a code and with an error", async () => {
      for (const params of [{ login_hint: "kari" }, { prompt: "none" }])
        assert.equal((await asked(params)).callback.searchParams.get("iss"), idp.issuers.openid);
      assert.equal(server.authorization_response_iss_parameter_supported, true);
    });
    for (const [name, params] of Object.entries({
      "OAuth 2.0 Form Post Response Mode section 2: a code comes in a form that needs no script, escaped and not cached":
        { login_hint: "kari" },
      "OAuth 2.0 Form Post Response Mode section 2: an error comes in a form that needs no script, escaped and not cached":
        { prompt: "none" },
    }))
      test(name, async () => {
        const response = await open({ ...good, ...params, response_mode: "form_post", state: `"><b>'` });
        assert.equal(response.status, 200);
        assert.match(response.headers.get("cache-control") ?? "", /no-store/);
        const html = await response.text();
        assert.ok(html.includes(`<form method="post" action="${redirectUri}">`));
        assert.match(
          html,
          name.includes(": a code") ? /name="code" value="[\w-]+"/ : /name="error" value="login_required"/,
        );
        assert.match(html, /name="state" value="&quot;&gt;&lt;b&gt;&#39;"/);
        assert.match(html, /<button/);
      });
    test("OAuth 2.0 Form Post Response Mode section 2: response_mode=fragment and query are where they say", async () => {
      const fragment = toldAt(await open({ ...good, login_hint: "kari", response_mode: "fragment" }));
      assert.match(fragment.hash, /code=/);
      const query = toldAt(await open({ ...good, login_hint: "kari", response_mode: "query" }));
      assert.ok(query.searchParams.has("code"));
    });
    test("RFC 6749 section 10.5: no cache keeps an answer, and no referrer tells it", async () => {
      const response = await open({ ...good, login_hint: "kari" });
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("referrer-policy"), "no-referrer");
    });
  });
});

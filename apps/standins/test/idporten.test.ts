import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import * as client from "oauth4webapi";
import { login, type Standins } from "../src/index.ts";
import { browser, discover, insecure, post, press, privateKey, redirectUri, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

describe("ID-porten, used by an independent client", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  let auth: client.ClientAuth;
  const portal = { client_id: "portal" };
  const secretly = { client_id: "by-secret" };
  const bySecret = client.ClientSecretBasic("secret-of-by-secret");
  before(async () => {
    idp = await standins();
    server = await discover(idp.issuers.idporten);
    auth = client.PrivateKeyJwt(await privateKey());
  });
  after(() => idp.close());

  test("signs in by PAR, PKCE and private_key_jwt; the tokens say who, how, and for whom", async () => {
    const { tokens, claims, callback } = await signIn({
      server,
      client: portal,
      auth,
      pushed: true,
      params: {
        acr_values: "idporten-loa-high",
        resource: "https://platform.example",
        login_hint: "kari",
        ui_locales: "en",
      },
    });
    assert.equal(callback.searchParams.get("iss"), idp.issuers.idporten, "RFC 9207");
    assert.equal(claims["pid"], "17858430038");
    assert.equal(claims["acr"], "idporten-loa-high");
    assert.deepEqual(claims["amr"], ["BankID"]);
    assert.equal(claims["locale"], "nb");
    assert.equal(typeof claims["sid"], "string");
    assert.equal(claims["at_hash"], undefined);
    assert.equal(claims.exp - claims.iat, 120);
    const access = decodeJwt(tokens.access_token);
    assert.equal(access.aud, "https://platform.example");
    assert.equal(access["client_id"], "portal");
    assert.equal(access["client_amr"], "private_key_jwt");
    assert.deepEqual(access["consumer"], { authority: "iso6523-actorid-upis", ID: "0192:889640782" });
    assert.equal(access.sub, claims.sub);
    assert.equal(tokens.expires_in, 600);
  });

  test("a token without a resource is for nobody in particular, and sub differs between clients", async () => {
    const one = await signIn({ server, client: portal, auth, params: { login_hint: "kari" } });
    const other = await signIn({ server, client: secretly, auth: bySecret, params: { login_hint: "kari" } });
    assert.equal(decodeJwt(one.tokens.access_token).aud, "unspecified");
    assert.notEqual(one.claims.sub, other.claims.sub);
  });

  test("userinfo agrees with the ID token", async () => {
    const { tokens, claims } = await signIn({
      server,
      client: secretly,
      auth: bySecret,
      params: { login_hint: "dagny" },
    });
    const response = await client.userInfoRequest(server, secretly, tokens.access_token, insecure);
    const info = await client.processUserInfoResponse(server, secretly, claims.sub, response);
    assert.equal(info["pid"], "61827935041");
    const refused = await fetch(server.userinfo_endpoint ?? "", {
      headers: { authorization: "Bearer nonsense" },
    });
    assert.equal(refused.status, 401);
  });

  test("a foreign eID has no pid", async () => {
    const { claims } = await signIn({
      server,
      client: secretly,
      auth: bySecret,
      params: { login_hint: "elsa" },
    });
    assert.equal("pid" in claims, false);
    assert.deepEqual(claims["amr"], ["eIDAS"]);
  });

  test("refresh gives a new refresh token; the old one used again ends them all (RFC 9700 section 4.14.2)", async () => {
    const { tokens } = await signIn({
      server,
      client: secretly,
      auth: bySecret,
      params: { login_hint: "kari" },
    });
    const refresh = async (token: string): Promise<client.TokenEndpointResponse> =>
      client.processRefreshTokenResponse(
        server,
        secretly,
        await client.refreshTokenGrantRequest(server, secretly, bySecret, token, insecure),
      );
    const next = await refresh(tokens.refresh_token ?? "");
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    await assert.rejects(refresh(tokens.refresh_token ?? ""), { error: "invalid_grant" });
    await assert.rejects(refresh(next.refresh_token ?? ""), { error: "invalid_grant" });
  });

  test("two refreshes at once: one succeeds", async () => {
    const { tokens } = await signIn({
      server,
      client: secretly,
      auth: bySecret,
      params: { login_hint: "kari" },
    });
    const form = {
      grant_type: "refresh_token",
      refresh_token: tokens.refresh_token ?? "",
      client_id: "by-secret",
      client_secret: "secret-of-by-secret",
    };
    const answers = await Promise.all([
      post(server.token_endpoint ?? "", form),
      post(server.token_endpoint ?? "", form),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 400],
    );
  });

  test("a client with usage REUSE keeps its refresh token", async () => {
    const { tokens } = await signIn({
      server,
      client: { client_id: "keeps-refresh" },
      auth: client.ClientSecretPost("secret-of-keeps"),
      params: { login_hint: "kari" },
    });
    const form = {
      grant_type: "refresh_token",
      refresh_token: tokens.refresh_token ?? "",
      client_id: "keeps-refresh",
      client_secret: "secret-of-keeps",
    };
    for (const round of [1, 2]) {
      const { body } = await post(server.token_endpoint ?? "", form);
      assert.equal(body["refresh_token"], tokens.refresh_token, `round ${round}`);
    }
  });

  test("a token by reference is opaque; introspection opens it, revocation and logout close it", async () => {
    const { tokens } = await signIn({
      server,
      client: { client_id: "by-reference" },
      auth: client.ClientSecretBasic("secret-of-by-reference"),
      params: { login_hint: "kari" },
    });
    assert.equal(tokens.access_token.includes("."), false);
    const form = {
      token: tokens.access_token,
      client_id: "by-reference",
      client_secret: "secret-of-by-reference",
    };
    const { body } = await post(server.introspection_endpoint ?? "", form);
    assert.equal(body["active"], true);
    assert.equal(body["pid"], "17858430038");
    await post(server.revocation_endpoint ?? "", form);
    assert.deepEqual((await post(server.introspection_endpoint ?? "", form)).body, { active: false });
    const unauthenticated = await post(server.introspection_endpoint ?? "", { token: tokens.access_token });
    assert.equal(unauthenticated.status, 401);
  });

  test("one client cannot revoke another's token (RFC 7009 section 2.1)", async () => {
    const { tokens } = await signIn({
      server,
      client: secretly,
      auth: bySecret,
      params: { login_hint: "kari" },
    });
    await post(server.revocation_endpoint ?? "", {
      token: tokens.access_token,
      client_id: "by-reference",
      client_secret: "secret-of-by-reference",
    });
    const { body } = await post(server.introspection_endpoint ?? "", {
      token: tokens.access_token,
      client_id: "by-secret",
      client_secret: "secret-of-by-secret",
    });
    assert.equal(body["active"], true);
  });

  test("the page: one click, typed number, edited claims, too low a level, cancel, another language", async () => {
    const base = { server, client: secretly, auth: bySecret };
    const clicked = await signIn({ ...base, choose: (page, tab) => press(page, tab, { persona: "kari" }) });
    assert.equal(clicked.claims["pid"], "17858430038");
    const typed = await signIn({
      ...base,
      choose: (page, tab) => press(page, tab, { pid: "30896221171", level: "idporten-loa-high" }),
    });
    assert.equal(typed.claims["pid"], "30896221171");
    const edited = await signIn({
      ...base,
      choose: async (page, tab) => {
        const form = await press(page, tab, { edit: "kari" });
        assert.match(await form.clone().text(), /textarea/);
        return press(form, tab, {
          persona: "kari",
          claims: JSON.stringify({
            pid: "61827935041",
            acr: "idporten-loa-substantial",
            iss: "https://evil.example",
            azp: "evil",
            nbf: 9_999_999_999,
          }),
        });
      },
    });
    assert.equal(edited.claims["pid"], "61827935041");
    assert.equal(edited.claims["acr"], "idporten-loa-substantial");
    assert.equal(edited.claims.iss, idp.issuers.idporten, "claims of the protocol cannot be edited");
    assert.equal("azp" in edited.claims || "nbf" in edited.claims, false);
    const refusedThenHigh = await signIn({
      ...base,
      params: { acr_values: "idporten-loa-high" },
      choose: async (page, tab) => {
        const again = await press(page, tab, { persona: "ola" });
        assert.equal(again.status, 200);
        assert.match(await again.clone().text(), /role="alert"/);
        return press(again, tab, { persona: "kari" });
      },
    });
    assert.equal(refusedThenHigh.claims["acr"], "idporten-loa-high");
    const { callback } = await request({ ...base, choose: (page, tab) => press(page, tab, { cancel: "1" }) });
    assert.equal(callback.searchParams.get("error"), "access_denied");
    const english = await request({
      ...base,
      params: { ui_locales: "en" },
      choose: async (page, tab) => {
        assert.match(await page.clone().text(), /<html lang="en">/);
        const norwegian = await press(page, tab, { language: "nb" });
        assert.match(await norwegian.clone().text(), /Hvem vil du være/);
        return press(norwegian, tab, { persona: "kari" });
      },
    });
    assert.ok(english.callback.searchParams.has("code"));
  });

  test("somebody else's browser cannot finish a sign-in that waits on a page", async () => {
    await assert.rejects(
      request({
        server,
        client: secretly,
        auth: bySecret,
        choose: (page) => press(page, browser(), { persona: "kari" }),
      }),
      /no redirect but 400/,
    );
  });

  test("login(page, persona) of the test kit presses the persona's own button", async () => {
    const base = { server, client: secretly, auth: bySecret };
    const { claims } = await signIn({
      ...base,
      choose: async (page, tab) => {
        let answer: Promise<Response> | undefined;
        const html = await page.clone().text();
        await login(
          {
            click: async (selector) => {
              const value = /^button\[name="persona"\]\[value="([^"]+)"\]$/.exec(selector)?.[1] ?? "";
              assert.match(html, new RegExp(`<button[^>]*name="persona"[^>]*value="${value}"`));
              answer = press(page, tab, { persona: value });
            },
          },
          "dagny",
        );
        assert.ok(answer);
        return answer;
      },
    });
    assert.equal(claims["pid"], "61827935041");
    await assert.rejects(login({ click: async () => undefined }, 'x"], body'), RangeError);
  });

  test("wrong_nonce and wrong_acr: the next ID token of that client, and no other", async () => {
    const base = { server, client: secretly, auth: bySecret, params: { login_hint: "kari" } };
    idp.fail({ effect: "wrong_nonce", client_id: "by-secret" });
    await assert.rejects(signIn(base), /nonce/);
    idp.fail({ effect: "wrong_acr", client_id: "by-secret", token: "id_token" });
    assert.equal((await signIn(base)).claims["acr"], "idporten-loa-low");
    assert.equal((await signIn(base)).claims["acr"], "idporten-loa-high");
  });

  test("response_mode form_post and fragment", async () => {
    const fragment = await request({
      server,
      client: secretly,
      auth: bySecret,
      params: { response_mode: "fragment", login_hint: "kari" },
    });
    assert.match(fragment.callback.hash, /^#code=/);
    const tab = browser();
    const url = new URL(server.authorization_endpoint ?? "");
    url.search = new URLSearchParams({
      client_id: "by-secret",
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid",
      state: 'a"b',
      nonce: "n",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
      response_mode: "form_post",
      login_hint: "kari",
    }).toString();
    const html = await (await tab.open(url)).text();
    assert.match(html, new RegExp(`<form method="post" action="${redirectUri}">`));
    assert.match(html, /name="state"\s+value="a&quot;b"/);
  });

  test("logout tells every client of the session, by front channel and back channel, and goes on", async () => {
    const heard = Promise.withResolvers<string>();
    const { createServer } = await import("node:http");
    const listener = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        heard.resolve(Buffer.concat(chunks).toString());
        outgoing.end();
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as { port: number };
    const told = {
      client_id: "told",
      client_secret: "secret-of-told",
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: ["https://app.example/out"],
      frontchannel_logout_uri: "https://app.example/front?x=1",
      backchannel_logout_uri: `http://127.0.0.1:${port}/back`,
    };
    idp.register({ idporten: { clients: [told] } });
    const { tokens, claims, tab } = await signIn({
      server,
      client: told,
      auth: client.ClientSecretBasic(told.client_secret),
      params: { login_hint: "kari" },
    });
    const url = new URL(server.end_session_endpoint ?? "");
    url.search = new URLSearchParams({
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: "https://app.example/out",
      state: "s 1",
    }).toString();
    const page = await tab.open(url);
    const html = (await page.text()).replaceAll("&amp;", "&");
    assert.match(page.headers.get("content-security-policy") ?? "", /frame-src https:\/\/app\.example;/);
    assert.ok(
      html.includes(
        `https://app.example/front?x=1&iss=${encodeURIComponent(idp.issuers.idporten)}&sid=${claims["sid"] as string}`,
      ),
    );
    assert.ok(html.includes("https://app.example/out?state=s+1"));
    const logoutToken = decodeJwt(new URLSearchParams(await heard.promise).get("logout_token") ?? "");
    assert.equal(logoutToken["sid"], claims["sid"]);
    assert.equal(logoutToken.aud, "told");
    assert.equal(logoutToken["nonce"], undefined);
    const { callback } = await request({
      server,
      client: told,
      auth: client.ClientSecretBasic(told.client_secret),
      tab,
      params: { prompt: "none" },
    });
    assert.equal(callback.searchParams.get("error"), "login_required");
    const refreshed = await post(server.token_endpoint ?? "", {
      grant_type: "refresh_token",
      refresh_token: tokens.refresh_token ?? "",
      client_id: "told",
      client_secret: told.client_secret,
    });
    assert.equal(refreshed.body["error"], "invalid_grant", "logout ends tokens that are only for signing in");
    await new Promise((resolve) => listener.close(resolve));
  });
});

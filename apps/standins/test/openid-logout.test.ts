// Logout of the plain provider: RP-Initiated, Front-Channel and Back-Channel Logout 1.0.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { browser, discover, press, redirectUri, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

describe("logout at an OpenID provider", () => {
  let idp: Standins;
  let server: client.AuthorizationServer;
  const heard: string[] = [];
  const hear = Promise.withResolvers<void>();
  const listener = createServer((incoming, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of incoming) parts.push(part as Buffer);
      heard.push(`${incoming.method} ${incoming.headers["content-type"]} ${Buffer.concat(parts).toString()}`);
      response.end();
      hear.resolve();
    })();
  });
  const plain = { client_id: "plain" };
  const auth = client.ClientSecretBasic("secret-of-plain");
  const told = { client_id: "told" };
  const toldAuth = client.ClientSecretBasic("secret-of-told");
  const home = "https://app.example/signed-out";
  const as = (persona = "kari", tab = browser()) =>
    signIn({ server, client: plain, auth, tab, params: { login_hint: persona } });
  const out = (tab: ReturnType<typeof browser>, query: Record<string, string>) =>
    tab.open(`${server.end_session_endpoint}?${new URLSearchParams(query)}`);
  const isSignedIn = async (tab: ReturnType<typeof browser>) => {
    const { callback } = await request({ server, client: plain, auth, tab, params: { prompt: "none" } });
    return callback.searchParams.has("code");
  };
  const answer = async (page: Response, tab: ReturnType<typeof browser>, yes: boolean) => {
    const html = await page.text();
    const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1] ?? "";
    const question = /name="question" value="([^"]+)"/.exec(html)?.[1] ?? "";
    const body = new URLSearchParams({ question, answer: yes ? "yes" : "no" });
    return tab.open(new URL(action, page.url), { method: "POST", body });
  };

  before(async () => {
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    idp = await standins();
    idp.register({
      openid: {
        clients: [
          {
            client_id: "told",
            client_secret: "secret-of-told",
            redirect_uris: [redirectUri],
            frontchannel_logout_uri: "https://told.example/front?keep=1",
          },
          {
            client_id: "posted",
            client_secret: "secret-of-posted",
            redirect_uris: [redirectUri],
            backchannel_logout_uri: `http://127.0.0.1:${port}/back`,
          },
        ],
      },
    });
    server = await discover(idp.issuers.openid);
  });
  after(async () => {
    await idp.close();
    listener.close();
  });

  test("OpenID Connect RP-Initiated Logout section 2: with the session's hint it ends without a question, and goes to the registered URI with state", async () => {
    const { tab, tokens } = await as();
    const response = await out(tab, {
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: home,
      state: "a b",
    });
    assert.equal(response.headers.get("location"), `${home}?state=a+b`);
    assert.equal(await isSignedIn(tab), false);
  });
  test("OpenID Connect RP-Initiated Logout section 2: by POST as by GET", async () => {
    const { tab, tokens } = await as();
    const body = new URLSearchParams({
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: home,
    });
    const response = await tab.open(server.end_session_endpoint ?? "", { method: "POST", body });
    assert.equal(response.headers.get("location"), home);
    assert.equal(await isSignedIn(tab), false);
  });
  test("OpenID Connect RP-Initiated Logout section 2: without post_logout_redirect_uri a page says that it is done", async () => {
    const { tab, tokens } = await as();
    const response = await out(tab, { id_token_hint: tokens.id_token ?? "", state: "x" });
    assert.equal(response.status, 200);
    assert.equal(await isSignedIn(tab), false);
  });
  for (const [name, query] of Object.entries({
    "OpenID Connect RP-Initiated Logout section 2: no parameters, the person is asked, and yes ends the session":
      {},
    "OpenID Connect RP-Initiated Logout section 2: only state, the person is asked, and yes ends the session":
      { state: "x" },
    "OpenID Connect RP-Initiated Logout section 2: client_id alone, the person is asked, and yes ends the session":
      { client_id: "plain", post_logout_redirect_uri: home },
  }))
    test(name, async () => {
      const { tab } = await as();
      const page = await out(tab, query);
      assert.equal(page.status, 200);
      assert.equal(await isSignedIn(tab), true, "nothing ends before the answer");
      const done = await answer(page, tab, true);
      assert.equal(done.headers.get("location"), "post_logout_redirect_uri" in query ? home : null);
      assert.equal(await isSignedIn(tab), false);
    });
  test("OpenID Connect RP-Initiated Logout section 2: no leaves the session as it is", async () => {
    const { tab } = await as();
    const done = await answer(await out(tab, {}), tab, false);
    assert.equal(done.status, 200);
    assert.equal(done.headers.get("location"), null);
    assert.equal(await isSignedIn(tab), true);
  });
  test("OpenID Connect RP-Initiated Logout section 2: a hint about somebody else is asked about too", async () => {
    const other = await as("ola");
    const { tab } = await as("kari");
    const page = await out(tab, {
      id_token_hint: other.tokens.id_token ?? "",
      post_logout_redirect_uri: home,
    });
    assert.equal(page.status, 200);
    assert.equal(await isSignedIn(tab), true);
  });
  test("OpenID Connect RP-Initiated Logout section 6: another browser cannot answer the question", async () => {
    const { tab } = await as();
    const page = await out(tab, {});
    const thief = (await as("ola")).tab;
    assert.equal((await answer(page, thief, true)).status, 400);
    assert.equal(await isSignedIn(tab), true);
  });
  const bad: Record<string, (hint: string) => Record<string, string>> = {
    "OpenID Connect RP-Initiated Logout section 3: a URI that is not registered redirects nobody and ends nothing":
      (hint) => ({
        id_token_hint: hint,
        post_logout_redirect_uri: "https://evil.example/",
      }),
    "OpenID Connect RP-Initiated Logout section 3: a registered URI with a query added redirects nobody and ends nothing":
      (hint) => ({
        id_token_hint: hint,
        post_logout_redirect_uri: `${home}?x=y`,
      }),
    "OpenID Connect RP-Initiated Logout section 3: a URI without a client redirects nobody and ends nothing":
      () => ({ post_logout_redirect_uri: home }),
    "OpenID Connect RP-Initiated Logout section 4: a hint that was altered redirects nobody and ends nothing":
      (hint) => ({
        id_token_hint: `${hint.slice(0, -6)}AAAAAA`,
        post_logout_redirect_uri: home,
      }),
    "OpenID Connect RP-Initiated Logout section 4: a hint that is none redirects nobody and ends nothing":
      () => ({ id_token_hint: "x", post_logout_redirect_uri: home }),
    "OpenID Connect RP-Initiated Logout section 2: client_id of another client than the hint's redirects nobody and ends nothing":
      (hint) => ({
        id_token_hint: hint,
        client_id: "told",
        post_logout_redirect_uri: home,
      }),
  };
  for (const [name, query] of Object.entries(bad))
    test(name, async () => {
      const { tab, tokens } = await as();
      const response = await out(tab, query(tokens.id_token ?? ""));
      assert.equal(response.status, 400);
      assert.equal(response.headers.get("location"), null);
      assert.equal(await isSignedIn(tab), true);
    });
  test("OpenID Connect RP-Initiated Logout section 2: a hint that has expired is good", async () => {
    const { tab, tokens } = await as();
    idp.moveClock(3590);
    await request({ server, client: plain, auth, tab, params: { prompt: "none" } });
    idp.moveClock(4000);
    const response = await out(tab, { id_token_hint: tokens.id_token ?? "", post_logout_redirect_uri: home });
    idp.moveClock(0);
    assert.equal(response.headers.get("location"), home);
  });
  test("OpenID Connect Front-Channel Logout section 3: every client of the session is loaded in a frame with iss and sid, and its query is kept", async () => {
    const { tab, tokens, claims } = await as();
    await signIn({ server, client: told, auth: toldAuth, tab });
    const page = await out(tab, { id_token_hint: tokens.id_token ?? "", post_logout_redirect_uri: home });
    const html = await page.text();
    const frame = new URL((/<iframe src="([^"]+)"/.exec(html)?.[1] ?? "").replaceAll("&amp;", "&"));
    assert.equal(frame.origin + frame.pathname, "https://told.example/front");
    assert.deepEqual(Object.fromEntries(frame.searchParams), {
      keep: "1",
      iss: server.issuer,
      sid: claims["sid"],
    });
    assert.match(page.headers.get("content-security-policy") ?? "", /frame-src https:\/\/told\.example/);
    assert.ok(html.includes(`href="${home}"`), "a link goes on without a script");
  });
  test("OpenID Connect Back-Channel Logout section 2.4: the client is posted a signed logout token with sub, sid, events, jti and no nonce", async () => {
    const { tab, tokens, claims } = await as();
    await signIn({
      server,
      client: { client_id: "posted" },
      auth: client.ClientSecretBasic("secret-of-posted"),
      tab,
    });
    await out(tab, { id_token_hint: tokens.id_token ?? "" });
    await hear.promise;
    const [only = "", ...more] = heard;
    assert.deepEqual(more, []);
    assert.match(only, /^POST application\/x-www-form-urlencoded/);
    const token = new URLSearchParams(only.split(" ").at(-1)).get("logout_token") ?? "";
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createRemoteJWKSet(new URL(server.jwks_uri ?? "")),
      { issuer: server.issuer, audience: "posted", typ: "logout+jwt" },
    );
    assert.equal(payload["sid"], claims["sid"]);
    assert.equal(payload.sub, claims.sub);
    assert.deepEqual(payload["events"], { "http://schemas.openid.net/event/backchannel-logout": {} });
    assert.ok(payload.jti !== undefined && payload.iat !== undefined && payload.exp !== undefined);
    assert.equal("nonce" in payload, false);
    assert.notEqual(protectedHeader.alg, "none");
  });
  test("OpenID Connect Back-Channel Logout section 2.3: ID tokens carry the sid, the same for every client of the session", async () => {
    const { tab, claims } = await as();
    const other = await signIn({ server, client: told, auth: toldAuth, tab });
    assert.equal(typeof claims["sid"], "string");
    assert.equal(other.claims["sid"], claims["sid"]);
    assert.notEqual((await as()).claims["sid"], claims["sid"]);
  });
  test("OpenID Connect Discovery section 3: logout is told of in the metadata", () => {
    for (const name of [
      "frontchannel_logout_supported",
      "frontchannel_logout_session_supported",
      "backchannel_logout_supported",
      "backchannel_logout_session_supported",
    ] as const)
      assert.equal((server as Record<string, unknown>)[name], true, name);
    assert.equal(typeof server.end_session_endpoint, "string");
  });
  test("a page of this provider is used with its form alone", async () => {
    const tab = browser();
    const page = await tab.open(
      `${server.authorization_endpoint}?${new URLSearchParams({ client_id: "plain", redirect_uri: redirectUri, response_type: "code", scope: "openid" })}`,
    );
    const answered = await press(page, tab, { username: "somebody", name: "Some Body" });
    assert.match(answered.headers.get("location") ?? "", /code=/);
  });
});

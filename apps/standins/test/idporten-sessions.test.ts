import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { browser, discover, post, privateKey, standins } from "./kit.ts";
import { request, signIn } from "./sign-in.ts";

describe("ID-porten's shared session", () => {
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

  test("a session signs in without a page, until prompt=login, a higher level, or max_age asks for more", async () => {
    const tab = browser();
    const first = await signIn({
      server,
      client: secretly,
      auth: bySecret,
      tab,
      params: { login_hint: "ola" },
    });
    const silent = await signIn({ server, client: portal, auth, tab });
    assert.equal(silent.claims["sid"], first.claims["sid"]);
    assert.equal(silent.claims["pid"], "03919140118");
    for (const params of [
      { prompt: "login" },
      { acr_values: "idporten-loa-high" },
      { max_age: "0" },
    ] as Record<string, string>[]) {
      if ("max_age" in params) idp.moveClock(5);
      await assert.rejects(
        request({ server, client: portal, auth, tab, params }),
        /no redirect but 200/,
        JSON.stringify(params),
      );
    }
    idp.moveClock(0);
    const higher = await signIn({
      server,
      client: portal,
      auth,
      tab,
      params: { acr_values: "idporten-loa-high", login_hint: "kari" },
    });
    assert.equal(higher.claims["acr"], "idporten-loa-high");
  });

  test("a session ends 30 minutes after its last use, and after 120 minutes in any case", async () => {
    const tab = browser();
    const silently = async (): Promise<boolean> => {
      const { callback } = await request({
        server,
        client: secretly,
        auth: bySecret,
        tab,
        params: { prompt: "none" },
      });
      return callback.searchParams.has("code");
    };
    await signIn({ server, client: secretly, auth: bySecret, tab, params: { login_hint: "kari" } });
    const seen: [number, boolean][] = [];
    for (const minutes of [29, 58, 87, 116, 121]) {
      idp.moveClock(minutes * 60);
      seen.push([minutes, await silently()]);
    }
    assert.deepEqual(seen, [
      [29, true],
      [58, true],
      [87, true],
      [116, true],
      [121, false],
    ]);
    idp.moveClock(0);
    await signIn({
      server,
      client: secretly,
      auth: bySecret,
      tab,
      params: { login_hint: "kari", prompt: "login" },
    });
    idp.moveClock(31 * 60);
    assert.equal(await silently(), false);
    idp.moveClock(0);
  });

  test("signing in again keeps sid but not the cookie; another person starts anew", async () => {
    const tab = browser();
    const base = { server, client: secretly, auth: bySecret, tab };
    const first = await signIn({ ...base, params: { login_hint: "kari" } });
    const cookie = tab.cookies.get("standin_idporten_session");
    const again = await signIn({
      ...base,
      client: portal,
      auth,
      params: { login_hint: "kari", prompt: "login" },
    });
    assert.equal(again.claims["sid"], first.claims["sid"]);
    assert.notEqual(tab.cookies.get("standin_idporten_session"), cookie, "session fixation");
    const stolen = browser();
    stolen.cookies.set("standin_idporten_session", cookie ?? "");
    const old = await request({ ...base, tab: stolen, params: { prompt: "none" } });
    assert.equal(old.callback.searchParams.get("error"), "login_required", "the old cookie is worth nothing");
    const refresh = {
      grant_type: "refresh_token",
      client_id: "by-secret",
      client_secret: "secret-of-by-secret",
    };
    await tab.open(`${server.end_session_endpoint}`);
    const after = await post(server.token_endpoint ?? "", {
      ...refresh,
      refresh_token: first.tokens.refresh_token ?? "",
    });
    assert.equal(after.body["error"], "invalid_grant", "logout reaches what came before the second sign-in");
    await signIn({ ...base, params: { login_hint: "kari" } });
    const other = await signIn({ ...base, params: { login_hint: "ola", prompt: "login" } });
    assert.notEqual(other.claims["sid"], first.claims["sid"]);
    assert.equal(other.claims["pid"], "03919140118");
  });

  test("an isolated client neither makes nor uses the shared session", async () => {
    const tab = browser();
    const keeps = { client_id: "keeps-refresh" };
    await signIn({
      server,
      client: keeps,
      auth: client.ClientSecretPost("secret-of-keeps"),
      tab,
      params: { login_hint: "kari" },
    });
    const { callback } = await request({
      server,
      client: secretly,
      auth: bySecret,
      tab,
      params: { prompt: "none" },
    });
    assert.equal(callback.searchParams.get("error"), "login_required");
  });
});

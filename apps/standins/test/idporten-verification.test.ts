// The verification tests that ID-porten asks integrators to pass (felleslosninger/docs, saml_verifikasjonstester.md, 1 to 11),
// with two services: one's own, and the provider's test service.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "oauth4webapi";
import type { Standins } from "../src/index.ts";
import { browser, discover, press, standins } from "./kit.ts";
import { request, signIn, type SignedIn } from "./sign-in.ts";

const substantial = "idporten-loa-substantial";
const high = "idporten-loa-high";
type Tab = ReturnType<typeof browser>;

/** A service with sessions of its own: by sid, ended by inactivity, logout, or a front-channel call. */
class Service {
  readonly id: string;
  readonly idp: Standins;
  readonly server: client.AuthorizationServer;
  readonly sessions = new Map<string, { claims: client.IDToken; idToken: string; usedAt: number }>();
  now = 0;
  constructor(id: string, idp: Standins, server: client.AuthorizationServer) {
    this.id = id;
    this.idp = idp;
    this.server = server;
  }
  /** Opens the service with its level; `persona` is pressed when ID-porten's page comes, which must not come without one. */
  async open(
    tab: Tab,
    o: { level?: string; persona?: string; prompt?: string; more?: Record<string, string> },
  ): Promise<SignedIn> {
    let asked = false;
    const params = {
      acr_values: o.level ?? substantial,
      ...(o.prompt === undefined ? {} : { prompt: o.prompt }),
      ...o.more,
    };
    const signedIn = await signIn({
      server: this.server,
      client: { client_id: this.id },
      auth: client.ClientSecretBasic(`secret-of-${this.id}`),
      tab,
      params,
      choose: async (page, same) => {
        if (page.status !== 200) return page;
        asked = true;
        assert.notEqual(o.persona, undefined, `${this.id}: ID-porten asked for a new sign-in`);
        return press(page, same, { persona: o.persona ?? "" });
      },
    });
    assert.equal(asked, o.persona !== undefined, `${this.id}: ${asked ? "a" : "no"} page came`);
    const sid = signedIn.claims["sid"] as string;
    this.sessions.set(sid, {
      claims: signedIn.claims,
      idToken: signedIn.tokens.id_token ?? "",
      usedAt: this.now,
    });
    return signedIn;
  }
  isSignedIn(sid: unknown): boolean {
    const session = this.sessions.get(String(sid));
    return session !== undefined && this.now - session.usedAt <= 1800;
  }
  /** Logs out here and at ID-porten; the page's frames are loaded into the services that they belong to. */
  async logOut(tab: Tab, sid: unknown, services: readonly Service[]): Promise<void> {
    const session = this.sessions.get(String(sid));
    this.sessions.delete(String(sid));
    const query = new URLSearchParams({ id_token_hint: session?.idToken ?? "" });
    const page = await tab.open(`${this.server.end_session_endpoint}?${query}`);
    assert.equal(page.status, 200);
    for (const [, source = ""] of (await page.text()).matchAll(/<iframe src="([^"]+)"/g)) {
      const url = new URL(source.replaceAll("&amp;", "&"));
      const called = services.find(({ id }) => url.hostname === `${id}.example`);
      assert.equal(url.searchParams.get("iss"), this.server.issuer);
      called?.sessions.delete(url.searchParams.get("sid") ?? "");
    }
  }
}

describe("ID-porten's verification tests for integrators", () => {
  let idp: Standins;
  let own: Service;
  let other: Service;
  before(async () => {
    idp = await standins();
    idp.register({
      idporten: {
        clients: ["own", "other"].map((id) => ({
          client_id: id,
          client_secret: `secret-of-${id}`,
          redirect_uris: ["https://app.example/oauth2/callback"],
          frontchannel_logout_uri: `https://${id}.example/frontchannel`,
          onbehalfof: [{ id: "municipality", name: "The municipality" }],
        })),
      },
    });
    const server = await discover(idp.issuers.idporten);
    own = new Service("own", idp, server);
    other = new Service("other", idp, server);
  });
  after(() => idp.close());

  for (const [number, from, to, level, persona, amr] of [
    ["1. SSO from one's own service, substantial", "own", "other", substantial, "ola", "Minid-PIN"],
    ["2. SSO from one's own service, high", "own", "other", high, "kari", "BankID"],
    ["3. SSO to one's own service, substantial", "other", "own", substantial, "ola", "Minid-PIN"],
    ["4. SSO to one's own service, high", "other", "own", high, "kari", "BankID"],
  ] as const)
    test(`${number}: no new sign-in, same level, same eID`, async () => {
      const services = { own, other };
      const tab = browser();
      const first = await services[from].open(tab, { level, persona });
      const second = await services[to].open(tab, { level });
      assert.equal(second.claims["acr"], level);
      assert.deepEqual(second.claims["amr"], [amr]);
      assert.equal(second.claims["sid"], first.claims["sid"]);
      assert.notEqual(second.claims.sub, first.claims.sub, "sub is pairwise");
    });
  test("5. A higher level asks for another eID, and then reaches it", async () => {
    const tab = browser();
    await own.open(tab, { persona: "ola" });
    const { claims } = await other.open(tab, { level: high, persona: "kari" });
    assert.equal(claims["acr"], high);
  });
  test("6. SLO from one's own service reaches the other one, and ID-porten", async () => {
    const tab = browser();
    const { claims } = await other.open(tab, { persona: "kari" });
    await own.open(tab, {});
    await own.logOut(tab, claims["sid"], [own, other]);
    assert.equal(own.isSignedIn(claims["sid"]), false);
    assert.equal(other.isSignedIn(claims["sid"]), false);
    await other.open(tab, { persona: "kari" });
  });
  test("7. SLO from another service reaches one's own, by front channel", async () => {
    const tab = browser();
    const { claims } = await own.open(tab, { persona: "kari" });
    await other.open(tab, {});
    assert.equal(own.isSignedIn(claims["sid"]), true);
    await other.logOut(tab, claims["sid"], [own, other]);
    assert.equal(own.isSignedIn(claims["sid"]), false);
  });
  test("8. After half an hour without use both the service and ID-porten ask again", async () => {
    const tab = browser();
    const { claims } = await own.open(tab, { persona: "kari" });
    idp.moveClock(1801);
    own.now += 1801;
    assert.equal(own.isSignedIn(claims["sid"]), false);
    const { callback } = await request({
      server: own.server,
      client: { client_id: "own" },
      auth: client.None(),
      tab,
      params: { prompt: "none" },
    });
    idp.moveClock(0);
    assert.equal(callback.searchParams.get("error"), "login_required");
  });
  test("9. prompt=login asks for a new sign-in though there is a session", async () => {
    const tab = browser();
    await other.open(tab, { persona: "kari" });
    await own.open(tab, { prompt: "login", persona: "kari" });
  });
  test("10. onbehalfof: the page names whom it is for; one that is not registered is refused", async () => {
    const params = { onbehalfof: "municipality" };
    await own.open(browser(), { persona: "kari", more: params });
    const asking = (onbehalfof: string) =>
      request({
        server: own.server,
        client: { client_id: "own" },
        auth: client.None(),
        params: { onbehalfof },
        choose: async (page) => {
          if (page.status === 200) assert.match(await page.clone().text(), /<b>The municipality<\/b>/);
          return page;
        },
      });
    await assert.rejects(asking("municipality"), /no redirect but 200/);
    assert.equal((await asking("stranger")).callback.searchParams.get("error"), "invalid_request");
  });
  for (const [locale, says] of [
    ["nb", /Hvem vil du være\?/],
    ["nn", /Kven vil du vere\?/],
    ["en", /Who do you want to be\?/],
    ["se", /Gii don áiggut leat\?/],
  ] as const)
    test(`11. ui_locales=${locale}: the page is in that language, and goes on in it`, async () => {
      let text = "";
      await signIn({
        server: own.server,
        client: { client_id: "own" },
        auth: client.ClientSecretBasic("secret-of-own"),
        params: { ui_locales: locale },
        choose: async (page, tab) => {
          text = await page.clone().text();
          return press(page, tab, { persona: "kari" });
        },
      });
      assert.match(text, says);
      assert.match(text, new RegExp(`<html lang="${locale}">`));
    });
});

// Requirements on a client that no other test is named after. conformance/login-proxy.ts lists them all.
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { background, navigation, type Answer } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

const sessionName = "__Host-io.nais.wonderwall.session";
const form = { "content-type": "application/x-www-form-urlencoded" };

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

test("RFC 9700 section 2.1.1: each attempt has a challenge, a nonce and a state of its own", async (t) => {
  const { browser, ingress, provider } = await stage(t);
  const user = browser();
  for (let index = 0; index < 3; index++) await user.send(`${ingress}/oauth2/login`, { headers: navigation });
  const pushed = provider.requests.filter(({ path }) => path === "/par");
  for (const name of ["code_challenge", "nonce", "state"])
    assert.equal(new Set(pushed.map((one) => one.form.get(name))).size, 3, name);
});

test("RFC 9700 section 2.1.2: only a code is asked for, and a token in the answer's address signs nobody in", async (t) => {
  const { browser, ingress, provider } = await stage(t, { knobs: { par: false } });
  const user = browser();
  const away = await user.send(`${ingress}/oauth2/login`, { headers: navigation });
  const asked = new URL(away.headers.location ?? "").searchParams;
  assert.deepEqual([asked.get("response_type"), asked.get("response_mode")], ["code", "query"]);
  const token = await provider.sign({ iss: provider.issuer, sub: "user-1", aud: "client-1" });
  const query = new URLSearchParams({ state: asked.get("state") ?? "", iss: provider.issuer });
  query.set("access_token", token);
  query.set("id_token", token);
  const back = await user.send(`${ingress}/oauth2/callback?${query}`, { headers: navigation });
  assert.equal(back.status, 400);
  assert.equal(user.cookie(sessionName), undefined);
});

test("RFC 9700 section 2.5: the client proves itself by a signature, a new one each time, and sends no secret", async (t) => {
  const { signedIn, provider } = await stage(t);
  await signedIn();
  const proofs = provider.requests.flatMap((one) => one.form.get("client_assertion") ?? []);
  assert.ok(proofs.length >= 2);
  assert.equal(new Set(proofs).size, proofs.length);
  assert.ok(provider.requests.every((one) => !one.form.has("client_secret") && !one.headers.authorization));
});

test("RFC 9700 section 4.2.4: the callback's address is left at once, used once, and pages of ours send no Referer", async (t) => {
  const { browser, ingress, provider } = await stage(t);
  const user = browser();
  const away = await user.send(`${ingress}/oauth2/login`, { headers: navigation });
  const { headers } = await user.send(away.headers.location!, { headers: navigation });
  const back = await user.send(headers.location!, { headers: navigation });
  assert.equal(back.status, 302);
  const redeemed = provider.count("/token");
  const again = await browser().send(headers.location!, { headers: navigation });
  assert.equal(again.status, 401);
  assert.equal(again.headers["referrer-policy"], "no-referrer");
  await user.send(headers.location!, { headers: navigation });
  assert.equal(provider.count("/token"), redeemed, "a state is good for one code");
});

test("RFC 9700 section 4.5.3: a code that was issued to another browser's attempt signs nobody in", async (t) => {
  const { browser, ingress } = await stage(t);
  const callbackOf = async (one: ReturnType<typeof browser>): Promise<URL> => {
    const away = await one.send(`${ingress}/oauth2/login`, { headers: navigation });
    return new URL((await one.send(away.headers.location!, { headers: navigation })).headers.location!);
  };
  const [thief, victim] = [browser(), browser()];
  const own = await callbackOf(thief);
  own.searchParams.set("code", (await callbackOf(victim)).searchParams.get("code")!);
  const answer = await thief.send(own.href, { headers: navigation });
  assert.notEqual(answer.headers.location, "/");
  assert.equal(thief.cookie(sessionName), undefined);
});

test("RFC 9700 section 4.14.2: a refresh token that was replaced is never sent again", async (t) => {
  const { signedIn, ingress, provider, clock } = await stage(t);
  const user = await signedIn();
  for (let index = 0; index < 3; index++) {
    clock.now += 290;
    await user.send(`${ingress}/`, { headers: background });
  }
  const sent = provider.requests.flatMap((one) => one.form.get("refresh_token") ?? []);
  assert.deepEqual([sent.length, new Set(sent).size], [3, 3]);
});

test("RFC 9700 section 4.16: pages of ours stand in nobody's frame", async (t) => {
  const { browser, ingress } = await stage(t, { knobs: { authorizeError: "access_denied" } });
  const page = await browser().go(`${ingress}/oauth2/login`);
  assert.match(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
});

test("RFC 9207 section 2.4: an error answer of another issuer is refused like any other", async (t) => {
  const { browser, ingress, provider, logs } = await stage(t, {
    knobs: { authorizeError: "access_denied", iss: "https://evil.example" },
  });
  assert.equal((await browser().go(`${ingress}/oauth2/login`)).status, 401);
  assert.ok(logs.some((line) => line.includes("wrong_iss")));
  assert.ok(!logs.some((line) => line.includes('"reason":"access_denied"')));
  assert.equal(provider.count("/token"), 0);
});

test("OpenID Connect Core section 3.1.2.1: scope holds openid, and redirect_uri is the registered one to the letter", async (t) => {
  const { browser, ingress, provider } = await stage(t, { env: { PORTVAKT_LOGIN_SCOPES: "profile" } });
  await browser().send(`${ingress}/oauth2/login`, { headers: navigation });
  const pushed = provider.requests.find(({ path }) => path === "/par")!.form;
  assert.deepEqual(pushed.get("scope")?.split(" ").toSorted(), ["openid", "profile"]);
  assert.equal(pushed.get("redirect_uri"), `${ingress}/oauth2/callback`);
});

test("OpenID Connect Core section 3.1.3.3: a token of another type than Bearer signs nobody in", async (t) => {
  const { browser, ingress } = await stage(t, {
    knobs: {
      tokenTrouble: () => ({ status: 200, body: { access_token: "a", token_type: "mac", id_token: "x" } }),
    },
  });
  const user = browser();
  assert.equal((await user.go(`${ingress}/oauth2/login`)).status, 500);
  assert.equal(user.cookie(sessionName), undefined);
});

test("OpenID Connect RP-Initiated Logout section 3: a state that is not ours leads nowhere but home", async (t) => {
  const { signedIn, ingress } = await stage(t);
  const user = await signedIn();
  await user.send(`${ingress}/oauth2/logout?redirect=%2Fbye`, { headers: navigation });
  const back = await user.send(`${ingress}/oauth2/logout/callback?state=another`, { headers: navigation });
  assert.equal(back.headers.location, "/");
});

test("OpenID Connect RP-Initiated Logout section 2: a hint about whom to log out is passed on", async (t) => {
  const { signedIn, ingress } = await stage(t);
  const user = await signedIn();
  const away = await user.send(`${ingress}/oauth2/logout?logout_hint=kari`, { headers: navigation });
  assert.equal(new URL(away.headers.location!).searchParams.get("logout_hint"), "kari");
});

test("OpenID Connect Front-Channel Logout section 3: the answer is not cached, and only the provider may frame it", async (t) => {
  const { signedIn, ingress, provider } = await stage(t);
  await signedIn();
  const query = new URLSearchParams({ iss: provider.issuer, sid: "sid-1" });
  const user = await signedIn();
  const answer = await user.send(`${ingress}/oauth2/logout/frontchannel?${query}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(
    answer.headers["content-security-policy"],
    `default-src 'none'; frame-ancestors ${provider.issuer}`,
  );
});

async function logoutToken({ provider, clock }: Stage, jti: string): Promise<string> {
  const claims = {
    iss: provider.issuer,
    aud: "client-1",
    iat: clock.now,
    exp: clock.now + 60,
    jti,
    sid: "sid-1",
    events: { "http://schemas.openid.net/event/backchannel-logout": {} },
  };
  return provider.sign(claims, { typ: "logout+jwt" });
}

test("OpenID Connect Back-Channel Logout section 2.8: 200 also when the session is gone, errors as JSON with 400, nothing cached", async (t) => {
  const on = await stage(t);
  const user = await on.signedIn();
  const url = `${on.ingress}/oauth2/logout/backchannel`;
  const send = (body: string): Promise<Answer> =>
    on.browser().send(url, { method: "POST", headers: form, body });
  for (const jti of ["j-1", "j-2"]) {
    const answer = await send(`logout_token=${await logoutToken(on, jti)}`);
    assert.deepEqual([answer.status, answer.headers["cache-control"]], [200, "no-store"]);
  }
  assert.equal((await user.send(`${on.ingress}/oauth2/session`)).status, 401);
  const bad = await send("logout_token=x");
  assert.deepEqual([bad.status, JSON.parse(bad.body).error], [400, "invalid_request"]);
  assert.equal(bad.headers["cache-control"], "no-store");
});

test("OpenID Connect Back-Channel Logout section 2.5: the token comes in a form that was posted, in no other way", async (t) => {
  const on = await stage(t);
  const user = await on.signedIn();
  const url = `${on.ingress}/oauth2/logout/backchannel`;
  const token = await logoutToken(on, "j-1");
  const asJson = { method: "POST", headers: { "content-type": "application/json" } };
  const ways = [
    await on.browser().send(`${url}?logout_token=${token}`),
    await on.browser().send(`${url}?logout_token=${token}`, { method: "POST", headers: form }),
    await on.browser().send(url, { ...asJson, body: JSON.stringify({ logout_token: token }) }),
    await on
      .browser()
      .send(url, { method: "POST", headers: form, body: `logout_token=${token}&logout_token=x` }),
  ];
  assert.deepEqual(
    ways.map(({ status }) => status),
    [405, 400, 400, 400],
  );
  assert.equal((await user.send(`${on.ingress}/oauth2/session`)).status, 200);
});

test("OpenID Connect Back-Channel Logout section 2.7: what was logged out is not refreshed, and its token goes nowhere", async (t) => {
  const on = await stage(t);
  const user = await on.signedIn();
  await on.browser().send(`${on.ingress}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: form,
    body: `logout_token=${await logoutToken(on, "j-1")}`,
  });
  on.clock.now += 290;
  await user.send(`${on.ingress}/`, { headers: background });
  assert.equal(on.provider.count("/token", "refresh_token"), 0);
  assert.equal(on.upstream.seen.at(-1)?.headers.authorization, undefined);
});

test("RFC 10017 section 6.1: the browser never receives a token, in no body, header or cookie", async (t) => {
  const { browser, ingress, provider } = await stage(t, {
    env: { PORTVAKT_LOGIN_UPSTREAM_INCLUDE_ID_TOKEN: "true" },
  });
  const user = browser();
  const answers: Answer[] = [];
  let at: string | undefined = `${ingress}/oauth2/login`;
  while (at !== undefined && answers.length < 10) {
    const answer: Answer = await user.send(at, { headers: navigation });
    if (at.startsWith(ingress)) answers.push(answer);
    at = answer.headers.location === undefined ? undefined : new URL(answer.headers.location, at).href;
  }
  for (const path of ["/oauth2/session", "/oauth2/session/refresh", "/"])
    answers.push(await user.send(`${ingress}${path}`, { headers: background }));
  assert.equal(answers.at(-1)?.body, "application");
  const received = JSON.stringify(answers.map(({ rawHeaders, body }) => [rawHeaders, body]));
  assert.ok(!/ey[\w-]+\.ey/u.test(received), "no JWT");
  assert.ok(!received.includes("refresh_token"));
  assert.equal(provider.count("/token"), 1);
});

test("RFC 10017 section 6.1.3.2: the session's cookie is Secure, HttpOnly, SameSite, __Host- and says nothing", async (t) => {
  const { browser, ingress } = await stage(t);
  const user = browser();
  const away = await user.send(`${ingress}/oauth2/login`, { headers: navigation });
  const { headers } = await user.send(away.headers.location!, { headers: navigation });
  const back = await user.send(headers.location!, { headers: navigation });
  const line = back.headers["set-cookie"]?.find((one) => one.startsWith(`${sessionName}=`)) ?? "";
  const [value = "", ...attributes] = line.split("; ");
  assert.deepEqual(attributes.toSorted(), ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
  assert.ok(
    !Buffer.from(value.slice(sessionName.length + 1), "base64url")
      .toString("latin1")
      .includes("user-1"),
  );
});

test("RFC 10017 section 6.1.3.2: SameSite is Strict where that is asked for", async (t) => {
  const { browser, ingress } = await stage(t, { env: { PORTVAKT_LOGIN_COOKIE_SAME_SITE: "Strict" } });
  const user = browser();
  const away = await user.send(`${ingress}/oauth2/login`, { headers: navigation });
  const { headers } = await user.send(away.headers.location!, { headers: navigation });
  const back = await user.send(headers.location!, { headers: navigation });
  const line = back.headers["set-cookie"]?.find((one) => one.startsWith(`${sessionName}=`)) ?? "";
  assert.match(line, /; SameSite=Strict/);
});

test("RFC 10017 section 6.1.3.6: nothing in a request chooses where it is forwarded", async (t) => {
  const { signedIn, ingress, upstream, replicas } = await stage(t);
  const user = await signedIn();
  const cookie = `${sessionName}=${user.cookie(sessionName)}`;
  const elsewhere = http.createServer(() => assert.fail("it was sent elsewhere")).listen(0, "127.0.0.1");
  await once(elsewhere, "listening");
  t.after(() => elsewhere.close().closeAllConnections());
  const other = `127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const asked = [
    { path: "/a", headers: { "x-forwarded-host": other, forwarded: `host=${other}` } },
    { path: "/a", headers: { "x-original-url": `http://${other}/`, "x-forwarded-uri": `http://${other}/` } },
    { path: `/a?url=http://${other}/`, headers: {} },
    { path: "/@evil.example/", headers: {} },
  ];
  for (const { path, headers } of asked) {
    assert.equal((await user.send(ingress + path, { headers })).status, 200);
    assert.equal(upstream.seen.at(-1)?.url, path);
  }
  const [host, port] = replicas[0]!.address.split(":");
  for (const target of [`http://${other}/`, `//${other}/`, `/\\${other}/`, other]) {
    const request = http.get({
      host,
      port,
      path: target,
      headers: { host: "app.test", cookie },
      agent: false,
    });
    const [answer] = (await once(request, "response")) as [http.IncomingMessage];
    answer.resume();
    if (answer.statusCode !== 400) assert.equal(upstream.seen.at(-1)?.url, target, target);
  }
});

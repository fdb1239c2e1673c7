// Holes that others' guards had (users' need 8), each replayed.
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import type { JWTPayload } from "jose";
import { background, navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { sendRaw } from "./wire.ts";

const sessionName = "__Host-io.nais.wonderwall.session";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

const guarded = {
  env: { PORTVAKT_LOGIN_AUTO_LOGIN: "true", PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS: "/public/**" },
};

const probes = ["GoogleHC/1.0", "kube-probe/1.33", "ELB-HealthChecker/2.0", "Prometheus/3.1.0", "Envoy/HC"];
for (const agent of probes) {
  test(`GHSA-5hvv-m4w4-gf6v: whoever calls itself ${agent} gets no further than others`, async (t) => {
    const { browser, ingress, upstream } = await stage(t, guarded);
    for (const path of ["/", "/secret", "/ping", "/ready", "/healthz"]) {
      const headers = { "user-agent": agent };
      assert.equal((await browser().send(`${ingress}${path}`, { headers })).status, 401, path);
    }
    assert.equal(upstream.seen.length, 0);
  });
}

const forgedPaths: Record<string, string>[] = [
  { "x-forwarded-uri": "/public/page" },
  { "x-original-url": "/public/page" },
  { "x-rewrite-url": "/public/page" },
  { forwarded: "for=127.0.0.1;host=app.test;proto=https;path=/public/page" },
  { "x-forwarded-prefix": "/public" },
];
for (const trusted of ["", "127.0.0.0/8"]) {
  test(`GHSA-7x63-xv5r-3p2x: no header says which path was asked for (trusted: ${trusted || "nobody"})`, async (t) => {
    const env = { ...guarded.env, PORTVAKT_LOGIN_TRUSTED_PROXIES: trusted };
    const { browser, ingress, upstream } = await stage(t, { env });
    for (const headers of forgedPaths)
      assert.equal((await browser().send(`${ingress}/secret`, { headers })).status, 401);
    assert.equal(upstream.seen.length, 0);
    assert.equal((await browser().send(`${ingress}/public/page`)).status, 200);
  });
}

const fragments = [
  "/secret#/public/",
  "/secret#/../public/page",
  "/secret%23/public/page",
  "/secret?x=#/public/page",
  "/public/..%2fsecret",
  "/public/../secret",
  "/public/..;/secret",
  "/public\\..\\secret",
  "/public/%2e%2e/secret",
  "/public//../secret",
];
for (const path of fragments) {
  test(`GHSA-pxq7-h93f-9jrg: ${path} is not taken for an excluded path`, async (t) => {
    const { replicas, upstream } = await stage(t, guarded);
    const request = `GET ${path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n`;
    assert.match(await sendRaw(replicas[0]!.address, request), /^HTTP\/1\.1 40[01] /);
    assert.equal(upstream.seen.length, 0);
  });
}

const manyAts = [
  "https://app.test@evil.example@app.test/",
  "https://evil.example@app.test@app.test/",
  "//app.test@evil.example@evil.example/",
  "https://app.test/@evil.example/../@",
];
for (const wish of manyAts) {
  test(`GHSA-c5c4-8r6x-56w3: of several @ none is believed: ${wish}`, async (t) => {
    const { browser, ingress } = await stage(t);
    const user = browser();
    const answer = await user.go(`${ingress}/oauth2/login?redirect=${encodeURIComponent(wish)}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.url, `${ingress}/`);
  });
}

test("GHSA-c5c4-8r6x-56w3: no address in a claim lets anybody in: a session needs an ID token for this client, whatever its e-mail", async (t) => {
  const { browser, ingress, provider } = await stage(t, {
    knobs: {
      idClaims: (claims) => ({
        ...claims,
        aud: "another",
        email: "a@evil.example@app.test",
        email_verified: true,
      }),
    },
  });
  const user = browser();
  await user.go(`${ingress}/oauth2/login`);
  assert.equal((await user.send(`${ingress}/oauth2/session`)).status, 401);
  assert.ok(provider.count("/token") > 0);
});

test("GHSA-f24x-5g9q-753f: a planted session does not survive a sign-in, and shows nobody what the victim does", async (t) => {
  const { signedIn, browser, ingress, upstream } = await stage(t);
  const attacker = await signedIn();
  const planted = attacker.cookie(sessionName) ?? "";
  const victim = browser();
  await victim.send(`${ingress}/oauth2/ping`);
  victim.setCookie(sessionName, planted);
  await victim.go(`${ingress}/oauth2/login?prompt=login`);
  await victim.send(`${ingress}/mine`);
  assert.notEqual(victim.cookie(sessionName), planted);
  const token = upstream.seen.at(-1)?.headers.authorization;
  assert.equal((await attacker.send(`${ingress}/oauth2/session`)).status, 401);
  await attacker.send(`${ingress}/mine`);
  assert.notEqual(upstream.seen.at(-1)?.headers.authorization, token);
});

function unsigned(header: Record<string, unknown>, claims: JWTPayload): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(claims)}.`;
}

const noneKeys = [
  { name: "one key", kids: ["none-1"], alg: "none" },
  { name: "the second of two", kids: ["none-1", "none-2"], alg: "none" },
  { name: "in other letters", kids: ["none-1", "none-2"], alg: "None" },
];
for (const { name, kids, alg } of noneKeys) {
  test(`nais/wonderwall@c399a78: keys with alg none in the provider's set verify nothing: ${name}`, async (t) => {
    const { browser, ingress, provider } = await stage(t, {
      knobs: {
        extraKeys: kids.map((kid) => ({ kty: "oct", kid, alg, k: "", use: "sig" })),
        signIdToken: (claims) => unsigned({ alg, kid: kids.at(-1), typ: "JWT" }, claims),
      },
    });
    const user = browser();
    assert.equal((await user.go(`${ingress}/oauth2/login`)).status, 500);
    assert.equal((await user.send(`${ingress}/oauth2/session`)).status, 401);
    provider.knobs.signIdToken = undefined;
    assert.equal(
      (await user.go(`${ingress}/oauth2/login`)).status,
      200,
      "the provider's own key still counts",
    );
  });
}

const spellings = [
  "X-Wonderwall-Id-Token",
  "x_wonderwall_id_token",
  "X-WONDERWALL_ID-TOKEN",
  "X-Portvakt-User",
];
for (const spelling of spellings) {
  test(`incoming id-token header: ${spelling} of a client never reaches the application, with a session or without`, async (t) => {
    const { browser, signedIn, ingress, upstream } = await stage(t, {
      env: { PORTVAKT_LOGIN_UPSTREAM_INCLUDE_ID_TOKEN: "true" },
    });
    const headers = { ...background, [spelling]: "forged" };
    await browser().send(`${ingress}/`, { headers });
    await (await signedIn()).send(`${ingress}/`, { headers });
    assert.ok(upstream.seen.length >= 2);
    for (const { rawHeaders } of upstream.seen) assert.ok(!rawHeaders.includes("forged"));
    assert.match(String(upstream.seen.at(-1)?.headers["x-wonderwall-id-token"]), /^ey/);
  });
}

test("lua-resty-openidc 1.9.0, shared verification cache: an ID token that was accepted once is judged anew by each attempt's own rules", async (t) => {
  let first: string | undefined;
  const { signedIn, browser, ingress, provider } = await stage(t);
  const { sign } = provider;
  const kept: JWTPayload[] = [];
  provider.knobs.idClaims = (claims) => (kept.push(claims), claims);
  await signedIn();
  first = await sign(kept[0]!);
  provider.knobs.signIdToken = () => first;
  const other = browser();
  assert.equal((await other.go(`${ingress}/oauth2/login`)).status, 500, "the nonce is another");
  assert.equal((await other.send(`${ingress}/oauth2/session`)).status, 401);
  const asLogout = await other.send(`${ingress}/oauth2/logout/backchannel`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `logout_token=${first}`,
  });
  assert.equal(asLogout.status, 400, "nor is it a logout token");
  assert.equal((await other.send(`${ingress}/`, { headers: navigation })).status, 200);
});

// Every fault, ordered in code and over HTTP, for one test; another test that does the same at the same time is unharmed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import type { Effect, FaultOrder, Standins, TestStandins } from "../src/index.ts";
import { effects } from "../src/faults/faults.ts";
import { redirectUri, standins } from "./kit.ts";

interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly milliseconds: number;
}

/** Signs in at the plain provider without any checks, and gives the token endpoint's answer. */
async function tokens(issuer: string, init: RequestInit = {}): Promise<Seen> {
  const query = new URLSearchParams({
    client_id: "plain",
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid",
    nonce: "n",
    login_hint: "kari",
  });
  const answer = await fetch(`${issuer}/authorize?${query}`, { redirect: "manual" });
  const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const start = performance.now();
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("plain:secret-of-plain")}` },
    body: new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: redirectUri }),
    ...init,
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : { text },
    milliseconds: performance.now() - start,
  };
}

/** Throws when the ID token is not one that a client would take. */
async function verified(issuer: string, { body }: Seen): Promise<void> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const { payload } = await jwtVerify(String(body["id_token"]), keys, {
    issuer,
    audience: "plain",
    typ: "JWT",
  });
  assert.equal(payload["nonce"], "n");
  assert.equal(payload["acr"], "1");
  assert.ok(Math.abs(Number(payload.iat) - Date.now() / 1000) < 60, "iat is about now");
}

/** Each fault, and what it looks like from outside. */
const faults: Record<
  Effect,
  { order?: Omit<FaultOrder, "effect">; shows: (issuer: string) => Promise<void> }
> = {
  error: {
    order: { error: "invalid_grant", error_description: "as ordered", status: 400 },
    async shows(issuer) {
      const { status, body } = await tokens(issuer);
      assert.deepEqual([status, body], [400, { error: "invalid_grant", error_description: "as ordered" }]);
    },
  },
  slow: {
    order: { delay_ms: 150 },
    async shows(issuer) {
      const seen = await tokens(issuer);
      assert.equal(seen.status, 200);
      assert.ok(seen.milliseconds >= 145);
    },
  },
  hang: {
    async shows(issuer) {
      const signal = AbortSignal.timeout(200);
      await assert.rejects(tokens(issuer, { signal }), { name: "TimeoutError" });
    },
  },
  drop: { shows: async (issuer) => assert.rejects(tokens(issuer), TypeError) },
  rate_limit: {
    order: { retry_after_seconds: 7 },
    async shows(issuer) {
      const { status, headers } = await tokens(issuer);
      assert.deepEqual([status, headers.get("retry-after")], [429, "7"]);
    },
  },
  down: {
    async shows(issuer) {
      const { status, headers } = await tokens(issuer);
      assert.deepEqual([status, headers.get("content-type")], [503, "text/html"]);
    },
  },
  unpublished_key: spoiled({ code: "ERR_JWKS_NO_MATCHING_KEY" }),
  bad_signature: spoiled({ code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" }),
  wrong_audience: spoiled({ claim: "aud" }),
  wrong_issuer: spoiled({ claim: "iss" }),
  wrong_nonce: spoiled({ actual: "not-the-nonce-that-was-sent" }),
  wrong_acr: spoiled({ actual: "idporten-loa-low" }),
  expired: spoiled({ code: "ERR_JWT_EXPIRED" }),
  not_yet_valid: spoiled(/iat is about now/),
  clock_offset: spoiled(/iat is about now/, { offset_seconds: 1800 }),
};

function spoiled(expected: object, order: Omit<FaultOrder, "effect"> = {}): (typeof faults)[Effect] {
  return {
    order: { token: "id_token", ...order },
    shows: async (issuer) => assert.rejects(verified(issuer, await tokens(issuer)), expected),
  };
}

describe("every fault, for one test only", () => {
  let idp: Standins;
  before(async () => {
    idp = await standins();
  });
  after(() => idp.close());

  const control = async (method: string, path: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(idp.urls.control + path, { method, headers, body: JSON.stringify(body) });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response;
  };
  const ways: Record<string, (fault: FaultOrder, mine: TestStandins) => unknown> = {
    "in code": (fault, mine) => mine.fail(fault),
    "over HTTP": (fault, mine) => control("POST", "/faults", { ...fault, test: mine.test }),
  };
  let number = 0;
  const pair = () => {
    number += 1;
    return [idp.forTest(`one-${number}`), idp.forTest(`other-${number}`)] as const;
  };

  for (const effect of Object.keys(effects) as Effect[])
    for (const [way, order] of Object.entries(ways))
      test(`${effect}, ordered ${way}`, async () => {
        const [one, other] = pair();
        const { order: more = {}, shows } = faults[effect];
        await order({ effect, ...more }, one);
        const unharmed = await tokens(other.issuers.openid);
        assert.equal(unharmed.status, 200);
        await verified(other.issuers.openid, unharmed);
        assert.equal(idp.faults().length, 1, "the other test used nothing up");
        await shows(one.issuers.openid);
        assert.equal(idp.faults().length, 0, "it struck once");
        await verified(one.issuers.openid, await tokens(one.issuers.openid));
      });

  for (const [endpoint, paths] of Object.entries({
    metadata: {
      openid: "/.well-known/openid-configuration",
      idporten: "/.well-known/openid-configuration",
      maskinporten: "/.well-known/oauth-authorization-server",
    },
    jwks: { openid: "/jwks", idporten: "/jwks.json", maskinporten: "/jwk" },
  }))
    for (const [provider, path] of Object.entries(paths) as [
      "openid" | "idporten" | "maskinporten",
      string,
    ][])
      test(`${provider}: ${endpoint} down`, async () => {
        const [one, other] = pair();
        one.fail({ effect: "down", provider, endpoint: endpoint as "jwks" });
        assert.equal((await fetch(other.urls[provider] + path)).status, 200);
        assert.equal((await fetch(one.urls[provider] + path)).status, 503);
        assert.equal((await fetch(one.urls[provider] + path)).status, 200);
      });

  for (const way of ["in code", "over HTTP"])
    test(`keys rotated now, ${way}`, async () => {
      const [one, other] = pair();
      const kids = async (mine: TestStandins) =>
        ((await (await fetch(`${mine.urls.openid}/jwks`)).json()) as { keys: { kid: string }[] }).keys.map(
          ({ kid }) => kid,
        );
      const [before_, others] = [await kids(one), await kids(other)];
      if (way === "in code") await one.rotateKeys("openid", { forget: true });
      else await control("POST", "/keys/rotate", { provider: "openid", forget: true, test: one.test });
      const after_ = await kids(one);
      assert.equal(after_.length, 1);
      assert.notDeepEqual(after_, before_);
      assert.deepEqual(await kids(other), others);
    });

  for (const way of ["in code", "over HTTP"])
    test(`the clock moved, ${way}`, async () => {
      const [one, other] = pair();
      if (way === "in code") one.moveClock(-7200);
      else await control("PUT", "/clock", { offset_seconds: -7200, test: one.test });
      const exp = async (mine: TestStandins) =>
        Number(decodeJwt(String((await tokens(mine.issuers.openid)).body["id_token"])).exp) -
        Date.now() / 1000;
      assert.ok((await exp(one)) < 0);
      assert.ok((await exp(other)) > 3000);
    });

  test("the issuers of a test are told over HTTP, and every provider works there", async () => {
    const told = (await (await fetch(`${idp.urls.control}/tests/mine`)).json()) as TestStandins;
    assert.deepEqual(told.issuers, idp.forTest("mine").issuers);
    assert.equal(told.issuers.maskinporten.endsWith("/~mine/"), true);
    for (const url of [
      `${told.issuers.idporten}/.well-known/openid-configuration`,
      `${told.issuers.entra}/.well-known/openid-configuration`,
      `${told.issuers.openid}/.well-known/openid-configuration`,
      `${told.issuers.maskinporten}.well-known/oauth-authorization-server`,
      `${idp.urls.maskinporten}/.well-known/oauth-authorization-server/~mine/`,
    ]) {
      const { issuer, token_endpoint } = (await (await fetch(url)).json()) as Record<string, string>;
      assert.ok(Object.values(told.issuers).includes(issuer ?? ""), url);
      assert.match(token_endpoint ?? "", /\/~mine\//);
    }
  });
  test("a test's own record holds its requests, and no other's", async () => {
    const [one, other] = pair();
    await tokens(one.issuers.openid);
    assert.equal(one.requests({ endpoint: "token" }).length, 1);
    assert.deepEqual(other.requests(), []);
  });
  test("a session of one test signs nobody in at another's issuer, nor do its codes", async () => {
    const [one, other] = pair();
    const query = new URLSearchParams({
      client_id: "plain",
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid",
      login_hint: "kari",
    });
    const answer = await fetch(`${one.issuers.openid}/authorize?${query}`, { redirect: "manual" });
    const cookie = answer.headers
      .getSetCookie()
      .map((one_) => one_.split(";")[0])
      .join("; ");
    query.set("prompt", "none");
    for (const set of answer.headers.getSetCookie())
      assert.match(set, new RegExp(`; Path=/~${one.test}/;`), "in one browser both can be signed in");
    const silent = await fetch(`${other.issuers.openid}/authorize?${query}`, {
      redirect: "manual",
      headers: { cookie },
    });
    assert.match(silent.headers.get("location") ?? "", /error=login_required/);
  });
  test("tokens on demand are signed for the test's own issuer", async () => {
    const [one] = pair();
    const token = await one.issue({ provider: "idporten", persona: "kari" });
    assert.equal(decodeJwt(token).iss, one.issuers.idporten);
  });
  for (const name of ["", "a b", "../x", "x".repeat(65)])
    test(`a test is not named ${JSON.stringify(name.slice(0, 8))}`, () => {
      assert.throws(() => idp.forTest(name), RangeError);
    });
});

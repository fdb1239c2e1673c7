/** What no sequence of exchanges may do, whoever makes it, in whatever order, with whatever parameters. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { decodeJwt } from "jose";
import { acrMappingProblem } from "../src/subject/claims.ts";
import { party, platform, provider } from "./platform.ts";
import type { Platform } from "./platform.ts";

const apps = ["local:p:a", "local:p:b", "local:p:c", "local:p:d"] as const;
const scopes = ["openid", "read", "write", "admin"] as const;
const strength: Record<string, number> = {
  "idporten-loa-low": 2,
  Level3: 3,
  "idporten-loa-substantial": 3,
  Level4: 4,
  "idporten-loa-high": 4,
};
let on: Platform;

before(async () => {
  const idporten = await provider();
  const mappings = { acr: { "idporten-loa-high": "Level4", "idporten-loa-substantial": "Level3" } };
  on = await platform({
    beside: {
      issuer: "https://tokenx.example",
      clock: { now: 1_750_000_000 },
      registrar: await party("registrar", "RS256"),
      idporten,
      apps: new Map(),
    },
    env: { SUBJECT_TOKEN_MAPPINGS: JSON.stringify({ [idporten.wellKnown]: mappings }) },
  });
  for (const app of apps) assert.equal((await on.register(app, { accessPolicyInbound: apps })).status, 201);
});
after(async () => {
  await on.close();
  await on.idporten.close();
});

const hop = fc.record({
  /** Mostly whoever holds the token; sometimes a thief. */
  thief: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...apps) },
  ),
  to: fc.constantFrom(...apps),
  scope: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.subarray([...scopes], { minLength: 1 }) },
  ),
  waited: fc.integer({ min: 0, max: 90 }),
});
const firstToken = fc.record({
  life: fc.integer({ min: 30, max: 3_600 }),
  scope: fc.subarray([...scopes]),
  acr: fc.constantFrom(...Object.keys(strength)),
  injected: fc.dictionary(
    fc.constantFrom("act", "may", "cnf", "idp", "client_id", "azp", "jti", "roles", "nonce"),
    fc.string(),
    { maxKeys: 3 },
  ),
});

const words = (scope: unknown): string[] =>
  typeof scope === "string" && scope !== "" ? scope.split(" ") : [];
const chain = (act: unknown): string[] => {
  const { sub, act: before } = (act ?? {}) as { sub?: string; act?: unknown };
  return sub === undefined ? [] : [sub, ...chain(before)];
};

test("no sequence of exchanges widens scope, raises acr, lengthens life past the first token, or loses an actor", async () => {
  let issued = 0;
  const walk = fc.asyncProperty(
    firstToken,
    fc.constantFrom(...apps),
    fc.array(hop, { minLength: 1, maxLength: 6, size: "max" }),
    async (first, start, hops) => {
      const end = on.clock.now + first.life;
      let token = await on.subjectToken({
        ...first.injected,
        exp: end,
        scope: first.scope.join(" "),
        acr: first.acr,
      });
      let holder: string = start;
      let actors: string[] = [];
      let scope: readonly string[] = first.scope;
      let level = strength[first.acr] ?? 0;
      for (const { thief, to, scope: asked, waited } of hops) {
        on.clock.now += waited;
        const by = thief ?? holder;
        const mine = actors.length === 0 || by === holder;
        const { status, body } = await on.exchange(by, {
          subject_token: token,
          audience: to,
          ...(asked && { scope: asked.join(" ") }),
        });
        if (status !== 200) continue;
        issued++;
        assert.ok(mine, "a token was exchanged by an application that it was not made for");
        token = String(body["access_token"]);
        const claims = decodeJwt(token);
        assert.ok((claims.exp ?? Infinity) <= end, "life");
        assert.ok((claims.exp ?? Infinity) - (claims.iat ?? 0) <= 900);
        assert.ok(
          words(claims["scope"]).every((one) => scope.includes(one)),
          "scope",
        );
        assert.ok((strength[String(claims["acr"])] ?? Infinity) <= level, "acr");
        actors = [by, ...actors];
        assert.deepEqual(chain(claims["act"]), actors, "actors");
        assert.equal(claims["idp"], on.idporten.issuer);
        assert.equal(claims["client_id"], by);
        assert.equal(claims.aud, to);
        [holder, scope, level] = [to, words(claims["scope"]), strength[String(claims["acr"])] ?? 0];
      }
    },
  );
  await fc.assert(walk, { numRuns: 60 });
  assert.ok(issued > 60, `only ${issued} tokens were issued: the walk does not walk`);
});

test("a mapping of acr that would raise a level is refused when the settings are read", async () => {
  for (const [from, to] of [
    ["idporten-loa-substantial", "Level4"],
    ["Level3", "idporten-loa-high"],
    ["own", "Level3"],
  ] as const) {
    assert.notEqual(acrMappingProblem(from, to), undefined);
    const env = {
      SUBJECT_TOKEN_MAPPINGS: JSON.stringify({ [on.idporten.wellKnown]: { acr: { [from]: to } } }),
    };
    await assert.rejects(platform({ beside: on, env }), /SUBJECT_TOKEN_MAPPINGS.*acr/s);
  }
  assert.equal(acrMappingProblem("idporten-loa-high", "Level4"), undefined);
  assert.equal(acrMappingProblem("idporten-loa-high", "Level3"), undefined);
});

test("no resource is called unspecified: that is what ID-porten writes where there is none", async () => {
  const rules = JSON.stringify({ [on.idporten.wellKnown]: { audiences: ["unspecified"] } });
  const env = { PORTVAKT_TOKENX_SUBJECT_RULES: rules };
  await assert.rejects(platform({ beside: on, env }), /PORTVAKT_TOKENX_SUBJECT_RULES/);
});

/** What no sequence of exchanges may do, whoever makes it, in whatever order, with whatever parameters. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { decodeJwt } from "jose";
import { acrMappingProblem } from "../src/subject/claims.ts";
import { jwtType, party, platform, provider, resource, signed } from "./platform.ts";
import type { Platform, Provider } from "./platform.ts";

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
let second: Provider;

before(async () => {
  const idporten = await provider();
  second = await provider();
  const mappings = { acr: { "idporten-loa-high": "Level4", "idporten-loa-substantial": "Level3" } };
  const rules = { audiences: [resource] };
  on = await platform({
    beside: {
      issuer: "https://tokenx.example",
      clock: { now: 1_750_000_000 },
      registrar: await party("registrar", "RS256"),
      idporten,
      apps: new Map(),
    },
    env: {
      SUBJECT_TOKEN_ISSUERS: `${idporten.wellKnown},${second.wellKnown}`,
      SUBJECT_TOKEN_MAPPINGS: JSON.stringify({ [idporten.wellKnown]: mappings }),
      PORTVAKT_TOKENX_SUBJECT_RULES: JSON.stringify({
        [idporten.wellKnown]: rules,
        [second.wellKnown]: rules,
      }),
    },
  });
  for (const app of apps) assert.equal((await on.register(app, { accessPolicyInbound: apps })).status, 201);
});
after(async () => {
  await on.close();
  await Promise.all([on.idporten.close(), second.close()]);
});

const rarely = <T>(arbitrary: fc.Arbitrary<T>, otherwise = 5): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: otherwise, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const signIn = fc.record({
  issuer: fc.constantFrom(0, 1),
  life: fc.integer({ min: 30, max: 3_600 }),
  scope: fc.subarray([...scopes]),
  acr: fc.constantFrom(...Object.keys(strength)),
  injected: fc.dictionary(
    fc.constantFrom("act", "may", "cnf", "idp", "client_id", "azp", "jti", "roles", "nonce"),
    fc.string(),
    { maxKeys: 3 },
  ),
});
const hop = fc.record({
  /** Which of the tokens that there are by now. */
  which: fc.nat(),
  /** Mostly whoever holds the token; sometimes a thief. */
  thief: rarely(fc.constantFrom(...apps)),
  to: fc.constantFrom(...apps),
  scope: rarely(fc.subarray([...scopes], { minLength: 1 }), 3),
  /** Whom an actor token names, in the caller's own signature. */
  actor: rarely(fc.constantFrom(...apps), 3),
  waited: fc.integer({ min: 0, max: 60 }),
});
const steps = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: signIn.map((first) => ({ first })) },
    { weight: 6, arbitrary: hop.map((next) => ({ next })) },
  ),
  { minLength: 4, maxLength: 24, size: "max" },
);
type SignIn = typeof signIn extends fc.Arbitrary<infer T> ? T : never;
type Hop = typeof hop extends fc.Arbitrary<infer T> ? T : never;

/** A token, and what must be true of everything that comes of it. */
interface Held {
  readonly token: string;
  /** The one application that may exchange it; undefined = any, for a provider's. */
  readonly holder: string | undefined;
  readonly idp: string;
  readonly end: number;
  readonly scope: readonly string[];
  readonly level: number;
  readonly actors: readonly string[];
}

const words = (scope: unknown): string[] =>
  typeof scope === "string" && scope !== "" ? scope.split(" ") : [];
const chain = (act: unknown): string[] => {
  const { sub, act: before } = (act ?? {}) as { sub?: string; act?: unknown };
  return sub === undefined ? [] : [sub, ...chain(before)];
};

async function signedIn({ issuer, life, scope, acr, injected }: SignIn): Promise<Held> {
  const by = issuer === 0 ? on.idporten : second;
  const end = on.clock.now + life;
  const times = { iat: on.clock.now, exp: end };
  const own = { iss: by.issuer, sub: "user", aud: resource, scope: scope.join(" "), acr, ...times };
  const token = await signed(by, { ...injected, ...own });
  return { token, holder: undefined, idp: by.issuer, end, scope, level: strength[acr] ?? 0, actors: [] };
}

/** Exchanges, and judges what comes of it; undefined when it was refused. */
async function exchanged(from: Held, { thief, to, scope: asked, actor }: Hop): Promise<Held | undefined> {
  const by = thief ?? from.holder ?? apps[0];
  const { status, body } = await on.exchange(by, {
    subject_token: from.token,
    audience: to,
    ...(asked && { scope: asked.join(" ") }),
    ...(actor && {
      actor_token: await on.assertion(by, { iss: actor, sub: actor }),
      actor_token_type: jwtType,
    }),
  });
  if (status !== 200) return undefined;
  assert.ok(from.holder === undefined || by === from.holder, "exchanged by whom it was not made for");
  assert.ok(actor === undefined || actor === by, "the actor is another than the caller");
  const token = String(body["access_token"]);
  const claims = decodeJwt(token);
  assert.ok((claims.exp ?? Infinity) <= from.end, "life");
  assert.ok((claims.exp ?? Infinity) - (claims.iat ?? 0) <= 900);
  const scope = words(claims["scope"]);
  assert.ok(
    scope.every((one) => from.scope.includes(one) && (asked?.includes(one as never) ?? true)),
    "scope",
  );
  const level = strength[String(claims["acr"])] ?? Infinity;
  assert.ok(level <= from.level, "acr");
  const actors = [by, ...from.actors];
  assert.deepEqual(chain(claims["act"]), actors, "actors");
  assert.deepEqual([claims["idp"], claims["client_id"], claims.aud], [from.idp, by, to]);
  return { token, holder: to, idp: from.idp, end: claims.exp ?? 0, scope, level, actors };
}

test("no sequence of exchanges widens scope, raises acr, lengthens life past the first token, or loses an actor", async () => {
  let issued = 0;
  let longest = 0;
  const walk = fc.asyncProperty(signIn, steps, async (start, all) => {
    const held = [await signedIn(start)];
    for (const step of all) {
      if ("first" in step) {
        held.push(await signedIn(step.first));
        continue;
      }
      on.clock.now += step.next.waited;
      // The newest more often than not, so that chains grow.
      const from = held[step.next.which % 2 === 0 ? held.length - 1 : step.next.which % held.length];
      const next = from && (await exchanged(from, step.next));
      if (next === undefined) continue;
      issued++;
      longest = Math.max(longest, next.actors.length);
      held.push(next);
    }
  });
  await fc.assert(walk, { numRuns: 60 });
  assert.ok(issued > 200 && longest > 3, `${issued} tokens, ${longest} actors: the walk does not walk`);
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

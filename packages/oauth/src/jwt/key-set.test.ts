import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fault } from "../errors.ts";
import { generatePrivateJwk, publicJwkOf } from "./keys.ts";
import { localKeySet } from "./key-set.ts";
import { remoteKeySet } from "./remote-key-set.ts";

const uri = "https://issuer.example/jwks";
const first = publicJwkOf(await generatePrivateJwk("ES256"));
const second = publicJwkOf(await generatePrivateJwk("ES256"));
const header = (jwk: { kid?: string }) => ({ kid: jwk.kid ?? "", alg: "ES256" });

/** A key set behind a fetch that the test steers, with a clock that the test moves. */
function setup(answer: () => Response | Promise<Response>, options: { maxStaleSeconds?: number } = {}) {
  const state = { time: 1000, fetches: 0, answer };
  const keys = remoteKeySet({
    uri,
    now: () => state.time,
    fetch: async () => {
      state.fetches += 1;
      return state.answer();
    },
    ...options,
  });
  return { state, keys };
}
const jwks =
  (...keys: object[]) =>
  () =>
    Response.json({ keys });

describe("remoteKeySet", () => {
  test("one fetch serves all who wait", async () => {
    const { state, keys } = setup(jwks(first));
    const found = await Promise.all(Array.from({ length: 50 }, async () => keys.find(header(first))));
    assert.ok(found.every((one) => one.ok));
    assert.equal(state.fetches, 1);
    assert.equal(keys.size, 1);
    assert.equal(keys.fetchedAt, 1000);
  });

  test("a flood of unknown kids causes one fetch in 5 s (texas weak point 4.3.2)", async () => {
    const { state, keys } = setup(jwks(first));
    await keys.load();
    state.time += 60;
    for (let i = 0; i < 200; i++) await keys.find({ kid: `garbage-${i}`, alg: "ES256" });
    assert.equal(state.fetches, 2);
    state.time += 5;
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => keys.find({ kid: `more-${i}`, alg: "ES256" })),
    );
    assert.equal(state.fetches, 3);
    assert.equal((await keys.find(header(first))).ok, true);
  });

  test("a rotated key is found at its first use", async () => {
    const { state, keys } = setup(jwks(first));
    await keys.load();
    state.time += 10;
    state.answer = jwks(first, second);
    assert.equal((await keys.find(header(second))).ok, true);
  });

  test("says where it looked and how old the keys are", async () => {
    const { state, keys } = setup(jwks(first));
    await keys.load();
    state.time += 3;
    const found = await keys.find({ kid: "x\n<script>", alg: "ES256" });
    assert.ok(!found.ok);
    assert.equal(
      found.message,
      `signed by key "x?<script>", which is not among the 1 keys of ${uri} fetched 3 s ago`,
    );
  });

  test("keys survive an outage, up to the bound", async () => {
    const { state, keys } = setup(jwks(first), { maxStaleSeconds: 100_000 });
    await keys.load();
    state.answer = () => new Response("down", { status: 503 });
    state.time += 99_000;
    assert.equal((await keys.find(header(first))).ok, true);
    state.time += 1000;
    const found = await keys.find(header(first));
    assert.ok(!found.ok);
    assert.equal(found.code, "keys_unavailable");
    state.answer = jwks(first);
    state.time += 5;
    assert.equal((await keys.find(header(first))).ok, true);
  });

  test("a clock that is set back does not stop the fetching", async () => {
    const { state, keys } = setup(jwks(first));
    await keys.load();
    state.time -= 7200;
    state.answer = jwks(second);
    assert.equal((await keys.find(header(second))).ok, true);
  });

  test("a withdrawn key is of no more use once a clock that was ahead is set right", async () => {
    const { state, keys } = setup(jwks(first, second));
    state.time += 7 * 86_400;
    await keys.load();
    state.time -= 7 * 86_400;
    state.answer = jwks(second);
    while (keys.fetchedAt !== state.time) await keys.find(header(second));
    assert.equal((await keys.find(header(first))).ok, false);
    assert.equal(state.fetches, 2);
  });

  test("after a clock was set back keys survive an outage, up to the bound", async () => {
    const { state, keys } = setup(jwks(first));
    await keys.load();
    state.time -= 7200;
    state.answer = () => new Response("down", { status: 503 });
    assert.equal((await keys.find(header(first))).ok, true);
    state.time += 86_400;
    assert.equal((await keys.find(header(first))).ok, false);
  });

  test("RFC 7517 section 5: what is no key costs nobody the others", async () => {
    const { keys } = setup(jwks({ kid: "no kty" }, { kty: "OTHER" }, first));
    assert.equal((await keys.find(header(first))).ok, true);
  });

  test("a key that is listed twice is one; two keys of one name are none", async () => {
    const { keys: twice } = setup(jwks(first, { ...first, use: "sig" }));
    assert.equal((await twice.find(header(first))).ok, true);
    const { keys: clash } = setup(jwks(first, { ...second, kid: first.kid }));
    const found = await clash.find(header(first));
    assert.match(found.ok ? "" : found.message, /^signed by key "[^"]+", which is several among the 2 keys/);
  });

  test("a large key set is searched whole", async () => {
    const many = Array.from({ length: 300 }, (_, index) => ({ ...second, kid: `${index}` }));
    const { keys } = setup(jwks(...many, first));
    assert.equal((await keys.find(header(first))).ok, true);
  });

  const harmless: readonly { name: string; answer: () => Response; says: RegExp }[] = [
    { name: "an HTML page", answer: () => new Response("<html>"), says: /not JSON/ },
    { name: "5 MB", answer: () => new Response("x".repeat(5_000_000)), says: /larger than/ },
    { name: "a redirect", answer: () => Response.redirect("https://evil.example/", 302), says: /HTTP 302/ },
    { name: "no keys", answer: () => Response.json({ keys: [] }), says: /not a JWK Set/ },
    {
      name: "keys that are no keys",
      answer: () => Response.json({ keys: ["x", null] }),
      says: /not a JWK Set/,
    },
  ];
  for (const { name, answer, says } of harmless) {
    test(`${name} does no harm: a Fault, and the keys before stay`, async () => {
      const { state, keys } = setup(jwks(first));
      await keys.load();
      state.answer = answer;
      await assert.rejects(keys.load(), (error) => error instanceof Fault && says.test(error.message));
      assert.equal((await keys.find(header(first))).ok, true);
    });
  }
});

test("localKeySet reads a changing list at each lookup", async () => {
  let list = [first];
  const keys = localKeySet(() => list);
  assert.equal((await keys.find(header(second))).ok, false);
  list = [first, second];
  assert.equal((await keys.find(header(second))).ok, true);
});

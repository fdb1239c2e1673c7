import assert from "node:assert/strict";
import crypto from "node:crypto";
import { describe, test } from "node:test";
import { answer, citizen, codeOf, employee, env, now, sign } from "../../test/issuers.ts";
import { createSdk, parseAzureUserToken } from "../index.ts";
import { createStopwatch } from "../stopwatch.ts";
import { createClaimsMemory } from "./memory.ts";

const claims = (exp: number) => ({ iss: "i", exp });
const memoryOver = (now: () => number, maxEntries: number, steady = now) =>
  createClaimsMemory(now, createStopwatch(now, steady), maxEntries);

describe("the memory of verified tokens", () => {
  test("holds a token until it expires, and for five minutes at most", () => {
    let time = 0;
    const memory = memoryOver(() => time, 10);
    memory.add("r", "short", 1, claims(60));
    memory.add("r", "long", 1, claims(10_000));
    time = 59;
    assert.deepEqual([memory.find("r", "short", 1)?.exp, memory.find("r", "long", 1)?.exp], [60, 10_000]);
    time = 60;
    assert.deepEqual([memory.find("r", "short", 1), memory.find("r", "long", 1)?.exp], [undefined, 10_000]);
    time = 300;
    assert.equal(memory.find("r", "long", 1), undefined);
  });

  test("for five minutes at most also when the clock is set back (RFC 8725 section 3.10: a withdrawn key)", () => {
    const clock = { now: 3600, steady: 0 };
    const memory = memoryOver(
      () => clock.now,
      10,
      () => clock.steady,
    );
    memory.add("r", "t", 1, claims(20_000));
    Object.assign(clock, { now: 0, steady: 299 });
    assert.equal(memory.find("r", "t", 1)?.exp, 20_000);
    clock.steady = 300;
    assert.equal(memory.find("r", "t", 1), undefined);
  });

  test("forgets what was verified with keys that have been fetched anew since", () => {
    const memory = memoryOver(() => 0, 10);
    memory.add("r", "t", 1, claims(60));
    assert.equal(memory.find("r", "t", 2), undefined);
    assert.equal(memory.find("r", "t", 1), undefined);
  });

  test("knows a token only under the rules that it was verified by", () => {
    const memory = memoryOver(() => 0, 10);
    memory.add("tokenx", "t", 1, claims(60));
    assert.equal(memory.find("entra_id", "t", 1), undefined);
  });

  test("is bounded: the one not used for longest goes", () => {
    const memory = memoryOver(() => 0, 2);
    memory.add("r", "a", 1, claims(60));
    memory.add("r", "b", 1, claims(60));
    memory.find("r", "a", 1);
    memory.add("r", "c", 1, claims(60));
    assert.deepEqual(
      ["a", "b", "c"].map((token) => memory.find("r", token, 1) !== undefined),
      [true, false, true],
    );
  });
});

describe("a token that was verified a moment ago", () => {
  const clocked = (o: { remembered?: number } = {}) => {
    let time = now;
    const sdk = createSdk({
      ...{ env, now: () => time, fetch: answer },
      ...(o.remembered !== undefined && { rememberedTokens: o.remembered }),
    });
    return { sdk, pass: (seconds: number) => void (time += seconds) };
  };

  test("is still refused when it has expired, and by guards that are asked only now", async () => {
    const { sdk, pass } = clocked();
    const token = await sign({ ...citizen, exp: now + 100 }, "tokenx");
    assert.equal(codeOf(await sdk.validateToken(token)), "accepted");
    assert.equal(codeOf(await sdk.validateToken(token, { scope: "x" })), "insufficient_scope");
    assert.equal(codeOf(await sdk.validateToken(token, { providers: "entra_id" })), "wrong_issuer");
    pass(120);
    assert.equal(codeOf(await sdk.validateToken(token)), "expired");
  });

  test("a forged copy of it is not taken for it", async () => {
    const { sdk } = clocked();
    const token = await sign(citizen, "tokenx");
    assert.equal(codeOf(await sdk.validateToken(token)), "accepted");
    const forged = `${token.slice(0, -6)}AAAAAA`;
    assert.equal(codeOf(await sdk.validateToken(forged)), "bad_signature");
  });

  test("what an application changes in its claims, the next request is not told", async () => {
    const { sdk } = clocked();
    const token = await sign({ ...citizen, groups: ["a"] }, "tokenx");
    const first = await sdk.validateToken(token);
    assert.throws(() => (first.ok ? (first.payload["groups"] as string[]).push("admins") : 0), TypeError);
    const second = await sdk.validateToken(token, { groups: "admins" });
    assert.equal(codeOf(second), "missing_group");
  });

  test("nor is the next one told what was done to claims that were only parsed, or are not remembered", async () => {
    const { sdk } = clocked({ remembered: 0 });
    const token = await sign({ ...employee, jti: "parsed" }, "entra");
    const parsed = parseAzureUserToken(token);
    assert.ok(parsed.ok);
    (parsed.groups as string[]).push("admins");
    const first = await sdk.validateAzureToken(token);
    assert.ok(first.ok);
    assert.throws(() => (first.payload["groups"] as string[]).push("admins"), TypeError);
    (first.caller.groups as string[]).push("admins");
    assert.equal(codeOf(await sdk.validateAzureToken(token, { groups: "admins" })), "missing_group");
  });

  test("costs no signature", async (t) => {
    const token = await sign(citizen, "tokenx");
    const verify = t.mock.method(crypto, "verify");
    const cost = async (remembered: number): Promise<number> => {
      const { sdk } = clocked({ remembered });
      const before = verify.mock.callCount();
      for (let i = 0; i < 5; i += 1) assert.equal(codeOf(await sdk.validateToken(token)), "accepted");
      return verify.mock.callCount() - before;
    };
    assert.deepEqual([await cost(0), await cost(10)], [5, 1]);
  });
});

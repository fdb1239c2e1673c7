import assert from "node:assert/strict";
import { test } from "node:test";
import { createSigner, generatePrivateJwk, localKeySet, verifyJwt } from "@portvakt/oauth";
import type { JWK, KeySet, VerifyRules } from "@portvakt/oauth";
import { rememberSignatures } from "./known-signatures.ts";

const now = () => 1_000;
const signer = await createSigner(await generatePrivateJwk("ES256"));
const ownKeys: readonly JWK[] = [signer.publicJwk];
const claims = { iss: "issuer", aud: "api", iat: 1_000, exp: 1_060 };

/** Keys that count how often a signature was really verified. */
function counting(read: () => readonly JWK[]): { keys: KeySet; verified: () => number } {
  let verified = 0;
  const inner = localKeySet(read);
  const wrappers = new WeakMap<
    object,
    { verify: (data: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean> }
  >();
  const keys: KeySet = {
    find: async (header) => {
      const found = await inner.find(header);
      if (!found.ok) return found;
      const { key } = found;
      const known = wrappers.get(key) ?? {
        verify: (data: Uint8Array, signature: Uint8Array) => {
          verified++;
          return key.verify(data, signature);
        },
      };
      wrappers.set(key, known);
      return { ok: true, key: known };
    },
  };
  return { keys, verified: () => verified };
}

const judge = async (token: string, keys: KeySet, at = now, more: Partial<VerifyRules> = {}) => {
  const rules = { issuer: "issuer", audience: "api", keys, algorithms: ["ES256"], ...more } as const;
  const result = await verifyJwt(token, rules, at);
  return result.ok ? "accepted" : result.refusal.code;
};

test("a signature that was right is not verified again; another one over the same claims is", async () => {
  const { keys, verified } = counting(() => ownKeys);
  const remembering = rememberSignatures(keys);
  const token = await signer.sign(claims);
  for (let i = 0; i < 3; i++) assert.equal(await judge(token, remembering), "accepted");
  assert.equal(verified(), 1);
  assert.equal(await judge(await signer.sign(claims), remembering), "accepted");
  assert.equal(verified(), 2);
});

test("what was wrong stays wrong, also beside a remembered one", async () => {
  const { keys } = counting(() => ownKeys);
  const remembering = rememberSignatures(keys);
  const token = await signer.sign(claims);
  assert.equal(await judge(token, remembering), "accepted");
  const [header, , signature] = token.split(".");
  const payload = Buffer.from(JSON.stringify({ ...claims, aud: "api", pid: "x" })).toString("base64url");
  for (let i = 0; i < 2; i++)
    assert.equal(await judge(`${header}.${payload}.${signature}`, remembering), "bad_signature");
  assert.equal(await judge(`${token.slice(0, -8)}AAAAAAAA`, remembering), "bad_signature");
});

test("time and audience are judged each time", async () => {
  const remembering = rememberSignatures(counting(() => ownKeys).keys);
  const token = await signer.sign(claims);
  assert.equal(await judge(token, remembering), "accepted");
  assert.equal(await judge(token, remembering, () => 2_000), "expired");
  assert.equal(await judge(token, remembering, now, { audience: "other" }), "wrong_audience");
});

test("a key that goes takes what it signed with it, and keys that are fetched anew verify anew", async () => {
  let published = ownKeys;
  const { keys, verified } = counting(() => published);
  const remembering = rememberSignatures(keys);
  const token = await signer.sign(claims);
  assert.equal(await judge(token, remembering), "accepted");
  published = [];
  assert.equal(await judge(token, remembering), "unknown_key");
  published = [{ ...signer.publicJwk }];
  assert.equal(await judge(token, remembering), "accepted");
  assert.equal(verified(), 2);
});

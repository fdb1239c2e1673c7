import assert from "node:assert/strict";
import { test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { createSigner, generatePrivateJwk, judgeDpopProof, sha256 } from "../index.ts";
import type { ProofExpectations } from "../index.ts";

const now = 1_750_000_000;
const clock = () => now;
const url = "https://api.example/things";
const [own, other] = await Promise.all(
  [1, 2].map(async () => createSigner(await generatePrivateJwk("ES256"))),
);
const claims = { htm: "GET", htu: url, iat: now, jti: "1" };
const header = { typ: "dpop+jwt", jwk: own!.publicJwk };
const expected: ProofExpectations = { method: "GET", url };

test("RFC 9449 section 4.3: a right proof gives the thumbprint of its key", async () => {
  for (const htu of [url, `${url}?page=2#top`]) {
    const result = await judgeDpopProof(await own!.sign({ ...claims, htu }, header), expected, clock);
    assert.deepEqual(result, { ok: true, jkt: await calculateJwkThumbprint(own!.publicJwk), jti: "1" });
  }
});

test("RFC 9449 section 4.3 step 12: at a resource server the proof is of the access token that came with it", async () => {
  const ath = await sha256("token");
  const proof = await own!.sign({ ...claims, ath }, header);
  assert.equal((await judgeDpopProof(proof, { ...expected, accessToken: "token" }, clock)).ok, true);
  assert.equal((await judgeDpopProof(proof, { ...expected, accessToken: "another" }, clock)).ok, false);
  assert.equal(
    (await judgeDpopProof(await own!.sign(claims, header), { ...expected, accessToken: "token" }, clock)).ok,
    false,
  );
});

const unsigned = `${btoa(JSON.stringify({ ...header, alg: "none" })).replaceAll("=", "")}.e30.`;
const refused: readonly { name: string; proof: () => Promise<string> }[] = [
  { name: "alg none", proof: async () => unsigned },
  { name: "another typ", proof: () => own!.sign(claims, { ...header, typ: "at+jwt" }) },
  { name: "critical extensions", proof: () => own!.sign(claims, { ...header, crit: ["x"], x: 1 }) },
  { name: "no key", proof: () => own!.sign(claims, { typ: "dpop+jwt" }) },
  { name: "a key that did not sign", proof: () => own!.sign(claims, { ...header, jwk: other!.publicJwk }) },
  {
    name: "a private key",
    proof: () => own!.sign(claims, { ...header, jwk: { ...own!.publicJwk, d: "x" } }),
  },
  { name: "a symmetric key", proof: () => own!.sign(claims, { ...header, jwk: { kty: "oct", k: "x" } }) },
  { name: "another method", proof: () => own!.sign({ ...claims, htm: "POST" }, header) },
  { name: "another address", proof: () => own!.sign({ ...claims, htu: `${url}/more` }, header) },
  { name: "an old iat", proof: () => own!.sign({ ...claims, iat: now - 61 }, header) },
  { name: "an iat ahead", proof: () => own!.sign({ ...claims, iat: now + 61 }, header) },
  { name: "no jti", proof: () => own!.sign({ ...claims, jti: "" }, header) },
  { name: "a size beyond reason", proof: () => own!.sign({ ...claims, pad: "x".repeat(9_000) }, header) },
];
for (const { name, proof } of refused)
  test(`RFC 9449 section 4.3: a proof with ${name} is refused`, async () => {
    assert.equal((await judgeDpopProof(await proof(), expected, clock)).ok, false);
  });

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSigner, generatePrivateJwk, sha256 } from "@portvakt/oauth";
import { calculateJwkThumbprint } from "jose";
import { createJudgePossession } from "./possession.ts";

test("RFC 9449 section 11.1: a proof is taken once, and none that could not be remembered", async () => {
  let now = 1_800_000_000;
  const key = await createSigner(await generatePrivateJwk("ES256"));
  const cnf = { jkt: await calculateJwkThumbprint(key.publicJwk) };
  const [token, method, url] = ["token", "GET", "https://api.example/"];
  const proof = async (jti: string): Promise<string> => {
    const claims = { htm: method, htu: url, iat: now, jti, ath: await sha256(token) };
    return key.sign(claims, { typ: "dpop+jwt", jwk: key.publicJwk });
  };
  const judge = createJudgePossession(() => now, 2);
  const says = async (sent: string): Promise<string> => {
    const refusal = await judge({ token, dpop: { proof: sent, method, url } }, cnf);
    return refusal === undefined || refusal.active ? "taken" : refusal.error;
  };
  const first = await proof("1");
  assert.equal(await says(first), "taken");
  assert.match(await says(first), /used before/);
  assert.equal(await says(await proof("2")), "taken");
  assert.match(await says(await proof("3")), /too many/);
  now += 121;
  assert.equal(await says(await proof("4")), "taken");
});

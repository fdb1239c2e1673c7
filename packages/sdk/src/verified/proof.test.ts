import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answer, citizen, codeOf, env, now, sdk, sign } from "../../test/issuers.ts";
import { boundToken, hashOf, proof } from "../../test/proofs.ts";
import { createSdk } from "../index.ts";
import { createNonces } from "./nonces.ts";

const asked = { method: "GET", url: "https://api.example/things" };
const plain = await sign(citizen, "tokenx");

describe("a token that is bound to a key, with its proof (RFC 9449 section 7.1)", () => {
  test("is accepted", async () => {
    const result = await sdk.validateToken(boundToken, { proof: { ...asked, proof: await proof() } });
    assert.ok(result.ok);
    assert.equal(result.caller.user?.pid, "12345678901");
  });

  const wrong: { name: string; proof: Promise<string>; token?: string; says: RegExp }[] = [
    {
      name: "section 4.3 item 2: no proof but a word",
      proof: Promise.resolve("proof"),
      says: /not a signed JWT/,
    },
    {
      name: "item 4: another typ",
      proof: proof({}, { header: { typ: "jwt" } }),
      says: /header is not a proof's/,
    },
    { name: "item 8: another method", proof: proof({ htm: "POST" }), says: /another method/ },
    {
      name: "item 9: another address",
      proof: proof({ htu: "https://api.example/other" }),
      says: /another address/,
    },
    { name: "item 11: made too long ago", proof: proof({ iat: now - 61 }), says: /iat is not about now/ },
    { name: "item 11: made in the future", proof: proof({ iat: now + 61 }), says: /iat is not about now/ },
    {
      name: "item 12: for another token",
      proof: proof({ ath: hashOf("another") }),
      says: /another access token/,
    },
    { name: "item 12: for no token", proof: proof({ ath: undefined }), says: /another access token/ },
    {
      name: "item 12: by another key than the token's",
      proof: proof({}, { by: "stranger" }),
      says: /another key/,
    },
    {
      name: "section 7.1: a token that is bound to none",
      token: plain,
      proof: proof({ ath: hashOf(plain) }),
      says: /not bound to a key/,
    },
  ];
  for (const { name, proof: given, token = boundToken, says } of wrong) {
    test(`refused, ${name}`, async () => {
      const result = await sdk.validateToken(token, { proof: { ...asked, proof: await given } });
      assert.equal(codeOf(result), "bad_proof");
      assert.match(result.ok ? "" : result.error.message, says);
    });
  }

  test("section 11.1: the same proof is not taken twice, until it has run out of itself", async () => {
    let time = now;
    const other = createSdk({ env, now: () => time, fetch: answer });
    const once = { ...asked, proof: await proof() };
    assert.equal(codeOf(await other.validateToken(boundToken, { proof: once })), "accepted");
    for (const later of [0, 59, 121]) {
      time = now + later;
      assert.equal(
        codeOf(await other.validateToken(boundToken, { proof: once })),
        "bad_proof",
        `${later} s later`,
      );
    }
  });

  test("section 9: with a nonce that was issued here, or by another replica, within five minutes", async () => {
    let time = now;
    const clock = (): number => time;
    const secret = "the same at every replica, and long";
    const [nonces, replica, stranger] = [secret, secret, `${secret}er`].map((one) =>
      createNonces(one, clock),
    );
    const other = createSdk({ env, now: clock, fetch: answer });
    const judge = async (nonce: string | undefined): Promise<string> =>
      codeOf(
        await other.validateToken(boundToken, {
          proof: { ...asked, nonces: nonces!, proof: await proof({ nonce, iat: Math.floor(time) }) },
        }),
      );
    const issued = await replica!.issue();
    assert.match(issued, /^[\x21\x23-\x5b\x5d-\x7e]+$/, "section 8.1: NQCHAR");
    assert.equal(await judge(issued), "accepted");
    assert.equal(await judge(issued), "accepted", "a nonce is not for one request only");
    assert.equal(await judge(undefined), "no_nonce");
    assert.equal(await judge(await stranger!.issue()), "no_nonce");
    assert.equal(await judge(issued.replace(/^\d+/, String(now + 1))), "no_nonce");
    assert.equal(await judge(`${issued}A`), "no_nonce");
    assert.equal(await judge(""), "no_nonce");
    time = now - 9;
    assert.equal(await judge(issued), "accepted", "another replica's clock is ahead");
    time = now - 11;
    assert.equal(await judge(issued), "no_nonce");
    time = now + 299;
    assert.equal(await nonces!.accepts(issued), true);
    time = now + 300;
    assert.equal(await nonces!.accepts(issued), false);
  });

  test("section 9: a proof that was refused for its nonce was not used", async () => {
    const nonces = createNonces("the same at every replica, and long", () => now);
    const made = await proof();
    const wanted = { ...asked, proof: made };
    assert.equal(codeOf(await sdk.validateToken(boundToken, { proof: { ...wanted, nonces } })), "no_nonce");
    assert.equal(codeOf(await sdk.validateToken(boundToken, { proof: wanted })), "accepted");
  });

  test("section 9: a secret that can be guessed makes no nonces", () => {
    assert.throws(() => createNonces("short", () => now), TypeError);
  });

  test("section 7.2: without a proof it is no bearer token", async () => {
    assert.equal(codeOf(await sdk.validateToken(boundToken)), "sender_constrained");
  });
});

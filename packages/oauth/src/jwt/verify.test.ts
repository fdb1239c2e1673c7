import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { CompactSign, base64url, importJWK, type JWK } from "jose";
import { generatePrivateJwk, publicJwkOf } from "./keys.ts";
import { localKeySet } from "./key-set.ts";
import { anyAudience, peekJwt, verifyJwt, type TokenRefusalCode, type VerifyRules } from "./verify.ts";

const now = 1_800_000_000;
const issuer = "https://issuer.example";
const jwk = await generatePrivateJwk("RS256");
const other = await generatePrivateJwk("RS256");
const rules: VerifyRules = {
  issuer,
  audience: "the-api",
  keys: localKeySet([publicJwkOf(jwk)]),
  algorithms: ["RS256"],
};
const good = { iss: issuer, aud: "the-api", sub: "someone", iat: now - 10, exp: now + 100 };

/** Tokens are made with jose and by hand, not by the code under test. */
async function token(claims: object, header: Record<string, unknown> = {}, key: JWK = jwk): Promise<string> {
  const payload = new TextEncoder().encode(JSON.stringify(claims));
  const protectedHeader = { alg: "RS256", kid: jwk.kid, typ: "JWT", ...header };
  const critical = Array.isArray(header["crit"])
    ? Object.fromEntries(header["crit"].map((c) => [c, true]))
    : {};
  return new CompactSign(payload)
    .setProtectedHeader(protectedHeader as { alg: string })
    .sign(await importJWK(key, protectedHeader.alg), { crit: critical });
}
const unsigned = (header: object, claims: object, signature = "") =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(claims))}.${signature}`;

function hmacWithPublicKey(): string {
  const input = unsigned({ alg: "HS256", kid: jwk.kid }, good).replace(/\.$/, "");
  return `${input}.${createHmac("sha256", JSON.stringify(publicJwkOf(jwk)))
    .update(input)
    .digest("base64url")}`;
}
function tampered(text: string): string {
  const [header, , signature] = text.split(".");
  return `${header}.${base64url.encode(JSON.stringify({ ...good, sub: "somebody-else" }))}.${signature}`;
}

const refusals: readonly {
  name: string;
  make: () => Promise<string> | string;
  code: TokenRefusalCode;
  says?: RegExp;
}[] = [
  { name: "RFC 7519 section 7.2: not a JWT", make: () => "hello", code: "malformed" },
  {
    name: "RFC 7519 section 7.2: payload is no object",
    make: async () => await token(["x"]),
    code: "malformed",
  },
  { name: "RFC 7515 section 7.1: four parts", make: async () => `${await token(good)}.x`, code: "malformed" },
  {
    name: "RFC 8725 section 3.2: alg none",
    make: () => unsigned({ alg: "none" }, good),
    code: "alg_not_allowed",
  },
  {
    name: "RFC 8725 section 3.1: alg None in another case",
    make: () => unsigned({ alg: "nOnE" }, good),
    code: "alg_not_allowed",
  },
  {
    name: "RFC 8725 section 2.1: HS256 with the public key as secret",
    make: hmacWithPublicKey,
    code: "alg_not_allowed",
  },
  {
    name: "RFC 8725 section 3.1: an algorithm that is not on the list",
    make: () => token(good, { alg: "PS256" }),
    code: "alg_not_allowed",
  },
  {
    name: "RFC 8725 section 3.1: alg is a name of Object.prototype",
    make: () => unsigned({ alg: "toString" }, good, "eA"),
    code: "alg_not_allowed",
  },
  {
    name: "RFC 7515 section 4.1.11: unknown critical header",
    make: () => token(good, { crit: ["urgent"], urgent: true }),
    code: "critical_header",
  },
  {
    name: "RFC 7797 section 3: b64 false",
    make: () => unsigned({ alg: "RS256", kid: jwk.kid, b64: false }, good, "eA"),
    code: "critical_header",
  },
  {
    name: "RFC 8725 section 3.10: embedded jwk",
    make: () => token(good, { jwk: publicJwkOf(other) }, other),
    code: "embedded_key",
  },
  {
    name: "RFC 8725 section 3.10: jku",
    make: () => token(good, { jku: "https://evil.example/jwks" }),
    code: "embedded_key",
  },
  {
    name: "RFC 8725 section 3.10: x5u",
    make: () => token(good, { x5u: "https://evil.example/cert" }),
    code: "embedded_key",
  },
  { name: "RFC 8725 section 3.10: x5c", make: () => token(good, { x5c: ["MIIB"] }), code: "embedded_key" },
  {
    name: "RFC 8725 section 3.11: a logout token",
    make: () => token(good, { typ: "logout+jwt" }),
    code: "typ_not_allowed",
  },
  {
    name: "RFC 8725 section 3.11: a DPoP proof, with media type prefix",
    make: () => token(good, { typ: "application/DPoP+JWT" }),
    code: "typ_not_allowed",
  },
  {
    name: "RFC 7517 section 4.5: unknown kid",
    make: () => token(good, { kid: "elsewhere" }),
    code: "unknown_key",
    says: /key "elsewhere", which is not among the 1 keys/,
  },
  {
    name: "RFC 7515 section 5.2: signed by another key",
    make: () => token(good, {}, other),
    code: "bad_signature",
  },
  {
    name: "RFC 7515 section 5.2: claims changed",
    make: async () => tampered(await token(good)),
    code: "bad_signature",
  },
  {
    name: "RFC 7515 section 5.2: signature removed",
    make: async () => (await token(good)).replace(/[^.]+$/, ""),
    code: "bad_signature",
  },
  {
    name: "RFC 8725 section 3.8: wrong issuer",
    make: () => token({ ...good, iss: `${issuer}/` }),
    code: "wrong_issuer",
  },
  {
    name: "RFC 8725 section 3.8: no issuer",
    make: () => token({ ...good, iss: undefined }),
    code: "missing_claim",
  },
  {
    name: "RFC 7519 section 4.1.3: wrong audience",
    make: () => token({ ...good, aud: "another-api" }),
    code: "wrong_audience",
    says: /for "another-api", not for "the-api"/,
  },
  {
    name: "RFC 7519 section 4.1.3: no audience",
    make: () => token({ ...good, aud: undefined }),
    code: "wrong_audience",
  },
  {
    name: "RFC 7519 section 4.1.4: expired",
    make: () => token({ ...good, exp: now - 34 }),
    code: "expired",
    says: /expired 34 s ago/,
  },
  {
    name: "RFC 7519 section 4.1.4: expired to the second, tolerance used up",
    make: () => token({ ...good, exp: now - 10 }),
    code: "expired",
  },
  {
    name: "RFC 9068 section 2.2: no exp",
    make: () => token({ ...good, exp: undefined }),
    code: "missing_claim",
    says: /no exp/,
  },
  {
    name: "RFC 9068 section 2.2: no iat",
    make: () => token({ ...good, iat: undefined }),
    code: "missing_claim",
  },
  {
    name: "RFC 7519 section 2: exp is a string",
    make: () => token({ ...good, exp: String(now + 100) }),
    code: "malformed_claim",
  },
  {
    name: "RFC 7519 section 4.1.5: not yet valid",
    make: () => token({ ...good, nbf: now + 60 }),
    code: "not_yet_valid",
    says: /another 60 s/,
  },
  {
    name: "RFC 7519 section 4.1.6: issued in the future",
    make: () => token({ ...good, iat: now + 60 }),
    code: "issued_in_future",
  },
  {
    name: "bounded: a token of 17 kB",
    make: () => token({ ...good, padding: "x".repeat(17_000) }),
    code: "too_large",
  },
];

describe("verifyJwt refuses", () => {
  for (const { name, make, code, says } of refusals) {
    test(name, async () => {
      const raw = await make();
      const result = await verifyJwt(raw, rules, () => now);
      assert.equal(result.ok, false);
      assert.equal(result.refusal.code, code, result.refusal.message);
      if (says !== undefined) assert.match(result.refusal.message, says);
      assert.ok(
        raw.length < 20 || !result.refusal.message.includes(raw.slice(0, 20)),
        "the token is in the message",
      );
    });
  }
});

describe("verifyJwt accepts", () => {
  const cases: readonly { name: string; make: () => Promise<string>; rules?: Partial<VerifyRules> }[] = [
    { name: "a right token", make: () => token(good) },
    { name: "one of several audiences", make: () => token({ ...good, aud: ["x", "the-api"] }) },
    { name: "expired within the tolerance", make: () => token({ ...good, exp: now - 9 }) },
    { name: "not yet valid within the tolerance", make: () => token({ ...good, nbf: now + 9 }) },
    { name: "no kid, where a single key fits", make: () => token(good, { kid: undefined }) },
    {
      name: "no audience, where none is asked for",
      make: () => token({ ...good, aud: undefined }),
      rules: { audience: anyAudience },
    },
    {
      name: "at+jwt where it is asked for",
      make: () => token(good, { typ: "at+jwt" }),
      rules: { typ: ["at+jwt"] },
    },
    {
      name: "an issuer made from the claims",
      make: () => token({ ...good, tid: "t1", iss: "https://x.example/t1" }),
      rules: { issuer: (c) => `https://x.example/${String(c["tid"])}` },
    },
  ];
  for (const { name, make, rules: extra } of cases) {
    test(name, async () => {
      const result = await verifyJwt(await make(), { ...rules, ...extra }, () => now);
      assert.equal(result.ok, true, result.ok ? "" : result.refusal.message);
      assert.equal(result.token.claims.sub, "someone");
    });
  }

  for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"] as const) {
    test(`${alg}, when the rules list it`, async () => {
      const key = await generatePrivateJwk(alg);
      const made = await token(good, { alg, kid: key.kid }, key);
      const keys = localKeySet([publicJwkOf(key)]);
      assert.equal((await verifyJwt(made, { ...rules, keys, algorithms: [alg] }, () => now)).ok, true);
      assert.equal((await verifyJwt(made, { ...rules, keys, algorithms: ["RS384"] }, () => now)).ok, false);
    });
  }
});

test("RFC 8725 section 3.1: a key published for one algorithm does not verify another", async () => {
  const keys = localKeySet([{ ...publicJwkOf(jwk), alg: "PS256" }]);
  const result = await verifyJwt(await token(good), { ...rules, keys }, () => now);
  assert.equal(!result.ok && result.refusal.code, "unknown_key");
});

test("RFC 7517 section 4.2: a key for encryption verifies nothing", async () => {
  const keys = localKeySet([{ ...publicJwkOf(jwk), use: "enc" }]);
  const result = await verifyJwt(await token(good), { ...rules, keys }, () => now);
  assert.equal(!result.ok && result.refusal.code, "unknown_key");
});

test("a result is frozen, so that what was verified stays what is used", async () => {
  const result = await verifyJwt(await token(good), rules, () => now);
  assert.ok(result.ok);
  assert.throws(() => Object.assign(result.token, { raw: "x" }), TypeError);
  assert.throws(() => Object.assign(result.token.claims, { sub: "root" }), TypeError);
});

test("a result is frozen all the way down: a list of groups cannot grow after the judgement", () => {
  const claims = { groups: ["a"], act: { sub: "x", act: { sub: "y" } } };
  const peeked = peekJwt(unsigned({ alg: "none", jwk: { n: "" } }, claims));
  assert.ok(peeked);
  const { groups, act } = peeked.claims as unknown as typeof claims;
  assert.throws(() => groups.push("admins"), TypeError);
  assert.throws(() => Object.assign(act.act, { sub: "z" }), TypeError);
  assert.throws(() => Object.assign(peeked.header["jwk"] as object, { n: "y" }), TypeError);
});

test("RFC 7515 section 4.1.9: a typ that is no text is not the same as none", async () => {
  const result = await verifyJwt(await token(good, { typ: ["JWT"] }), rules, () => now);
  assert.equal(!result.ok && result.refusal.code, "malformed");
});

const nested = `${"[".repeat(6000)}${"]".repeat(6000)}`;
const strange: Readonly<Record<string, [header: string, claims: string]>> = {
  "an alg that cannot be made a text": [`{"alg":{"toString":0,"valueOf":0}}`, "{}"],
  "an alg that is nested deeply": [`{"alg":${nested}}`, "{}"],
  "a kid that cannot be made a text": [`{"alg":"RS256","kid":{"toString":0,"valueOf":0}}`, "{}"],
  "a typ that is nested deeply": [`{"alg":"RS256","typ":${nested}}`, "{}"],
  "an issuer that cannot be made a text": [`{"alg":"RS256"}`, `{"iss":{"toString":0,"valueOf":0}}`],
  "claims that are nested deeply": [`{"alg":"RS256"}`, `{"iss":"${issuer}","aud":${nested}}`],
};
for (const [name, parts] of Object.entries(strange))
  test(`RFC 7519 section 7.2: ${name} is refused, and throws nothing`, async () => {
    const text = `${parts.map((part) => base64url.encode(part)).join(".")}.AA`;
    const result = await verifyJwt(text, { ...rules, maxBytes: 100_000 }, () => now);
    assert.equal(result.ok, false);
  });

test("peekJwt decodes without verifying, and is undefined for anything else", () => {
  assert.equal(peekJwt(unsigned({ alg: "none" }, { sub: "x" }))?.claims.sub, "x");
  for (const text of ["", ".", "..", "a.b.c", "é.é.é", "xxxxxxxxxx"]) assert.equal(peekJwt(text), undefined);
});

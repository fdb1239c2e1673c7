import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { SignJWT, importJWK } from "jose";
import { generatePrivateJwk, publicJwkOf } from "./keys.ts";
import { localKeySet } from "./key-set.ts";
import { judgeIdToken, type IdTokenExpectations } from "./id-token.ts";
import { backChannelLogoutEvent, judgeLogoutToken } from "./logout-token.ts";
import type { TokenRefusalCode } from "./verify.ts";

const now = 1_800_000_000;
const jwk = await generatePrivateJwk("ES256");
const rules = {
  issuer: "https://issuer.example",
  keys: localKeySet([publicJwkOf(jwk)]),
  algorithms: ["ES256" as const],
};
const key = await importJWK(jwk, "ES256");
const sign = (claims: Record<string, unknown>, typ = "JWT") =>
  new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: jwk.kid ?? "", typ }).sign(key);
const atHash = (token: string) =>
  createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");

const good = {
  iss: rules.issuer,
  sub: "kari",
  aud: "client",
  iat: now,
  exp: now + 60,
  nonce: "n1",
  auth_time: now - 30,
};
const expected: IdTokenExpectations = {
  rules,
  clientId: "client",
  nonce: "n1",
  accessToken: "the-access-token",
};

const cases: readonly {
  name: string;
  claims: Record<string, unknown>;
  expected?: Partial<IdTokenExpectations>;
  code: TokenRefusalCode | "accepted";
}[] = [
  { name: "accepts a right one", claims: {}, code: "accepted" },
  { name: "section 3.1.3.7 rule 3: for another client", claims: { aud: "someone" }, code: "wrong_audience" },
  {
    name: "section 3.1.3.7 rule 3: an untrusted audience beside us",
    claims: { aud: ["client", "x"], azp: "client" },
    code: "wrong_audience",
  },
  {
    name: "section 3.1.3.7 rule 3: a trusted audience beside us",
    claims: { aud: ["client", "x"], azp: "client" },
    expected: { trustedAudiences: ["x"] },
    code: "accepted",
  },
  {
    name: "section 3.1.3.7 rule 4: several audiences without azp",
    claims: { aud: ["client", "x"] },
    expected: { trustedAudiences: ["x"] },
    code: "wrong_authorized_party",
  },
  {
    name: "section 3.1.3.7 rule 5: azp is somebody else",
    claims: { azp: "x" },
    code: "wrong_authorized_party",
  },
  { name: "section 3.1.3.7 rule 11: wrong nonce", claims: { nonce: "n2" }, code: "wrong_nonce" },
  { name: "section 3.1.3.7 rule 11: no nonce", claims: { nonce: undefined }, code: "wrong_nonce" },
  {
    name: "section 3.1.3.7 rule 13: max_age and no auth_time",
    claims: { auth_time: undefined },
    expected: { maxAgeSeconds: 60 },
    code: "missing_claim",
  },
  {
    name: "section 3.1.3.7 rule 13: authentication is too old",
    claims: { auth_time: now - 71 },
    expected: { maxAgeSeconds: 60 },
    code: "stale_authentication",
  },
  {
    name: "section 3.1.3.7 rule 13: max_age 0 within the tolerance",
    claims: { auth_time: now - 5 },
    expected: { maxAgeSeconds: 0 },
    code: "accepted",
  },
  {
    name: "section 3.1.3.6: right at_hash",
    claims: { at_hash: atHash("the-access-token") },
    code: "accepted",
  },
  {
    name: "section 3.1.3.6: at_hash of another token",
    claims: { at_hash: atHash("another") },
    code: "wrong_access_token_hash",
  },
  { name: "section 2: no sub", claims: { sub: undefined }, code: "missing_claim" },
  { name: "section 2: sub is a number", claims: { sub: 7 }, code: "malformed_claim" },
];

describe("OpenID Connect Core: judgeIdToken", () => {
  for (const { name, claims, expected: extra, code } of cases) {
    test(name, async () => {
      const result = await judgeIdToken(
        await sign({ ...good, ...claims }),
        { ...expected, ...extra },
        () => now,
      );
      assert.equal(result.ok ? "accepted" : result.refusal.code, code);
    });
  }
});

const logout = {
  iss: rules.issuer,
  aud: "client",
  iat: now,
  exp: now + 60,
  jti: "j1",
  sid: "s1",
  events: { [backChannelLogoutEvent]: {} },
};
const logoutCases: readonly {
  name: string;
  claims: Record<string, unknown>;
  typ?: string;
  code: TokenRefusalCode | "accepted";
}[] = [
  { name: "accepts sid alone", claims: {}, typ: "logout+jwt", code: "accepted" },
  { name: "accepts sub alone, typ JWT", claims: { sid: undefined, sub: "kari" }, code: "accepted" },
  { name: "section 2.6 rule 3: wrong audience", claims: { aud: "x" }, code: "wrong_audience" },
  { name: "section 2.6 rule 3: expired", claims: { exp: now - 60 }, code: "expired" },
  { name: "section 2.6 rule 4: neither sub nor sid", claims: { sid: undefined }, code: "missing_claim" },
  { name: "section 2.6 rule 5: no events", claims: { events: undefined }, code: "missing_claim" },
  { name: "section 2.6 rule 5: another event", claims: { events: { x: {} } }, code: "not_a_logout_token" },
  {
    name: "section 2.6 rule 5: event is no object",
    claims: { events: { [backChannelLogoutEvent]: true } },
    code: "not_a_logout_token",
  },
  { name: "section 2.6 rule 6: nonce", claims: { nonce: "n" }, code: "not_a_logout_token" },
  { name: "section 2.4: no jti", claims: { jti: undefined }, code: "missing_claim" },
  { name: "section 2.4: sid is a number", claims: { sid: 3 }, code: "malformed_claim" },
  { name: "RFC 8725 section 3.11: an access token type", claims: {}, typ: "at+jwt", code: "typ_not_allowed" },
];

describe("OpenID Connect Back-Channel Logout: judgeLogoutToken", () => {
  for (const { name, claims, typ, code } of logoutCases) {
    test(name, async () => {
      const token = await sign({ ...logout, ...claims }, typ);
      const result = await judgeLogoutToken(token, { ...rules, audience: "client" }, () => now);
      assert.equal(result.ok ? "accepted" : result.refusal.code, code);
    });
  }
});

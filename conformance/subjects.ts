// What the tables share: one issuer, one client, their keys, and a time at which everything happens.

import assert from "node:assert/strict";
import {
  createSigner,
  generatePrivateJwk,
  judgeIdToken,
  judgeLogoutToken,
  localKeySet,
  verifyJwt,
} from "@portvakt/oauth";
import type {
  IdTokenExpectations,
  JwtClaims,
  TokenRefusalCode,
  VerifyResult,
  VerifyRules,
} from "@portvakt/oauth";

/** Seconds since the epoch. */
export const at = 1_800_000_000;
export const now = (): number => at;
export const issuer = "https://issuer.example";
export const clientId = "client";

export const [signer, stranger] = await Promise.all([
  generatePrivateJwk("ES256").then(createSigner),
  generatePrivateJwk("ES256").then(createSigner),
]);

const keys = localKeySet([signer.publicJwk]);
export const rules: VerifyRules = { issuer, audience: "api", keys, algorithms: ["ES256", "RS256"] };

export const accessTokenClaims: JwtClaims = {
  iss: issuer,
  sub: "user",
  aud: "api",
  iat: at,
  exp: at + 60,
};

type Header = Record<string, unknown>;

/** Three parts of JSON, as they are, whoever would sign such a thing. */
export function unsigned(header: Header, claims: JwtClaims, signature = ""): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(claims)}.${signature}`;
}

/** Verifies as an API would. */
export async function verify(token: string, change: Partial<VerifyRules> = {}): Promise<VerifyResult> {
  return verifyJwt(token, { ...rules, ...change }, now);
}

export function accepted(result: VerifyResult): void {
  assert.equal(result.ok ? "accepted" : result.refusal.code, "accepted");
}

export function refused(result: VerifyResult, code: TokenRefusalCode): void {
  assert.equal(result.ok ? "accepted" : result.refusal.code, code);
}

/** An access token with changed claims (undefined leaves one out) or header. */
export async function token(change: JwtClaims = {}, header: Header = {}): Promise<string> {
  return signer.sign({ ...accessTokenClaims, ...change }, header);
}

export async function judgedIdToken(
  change: JwtClaims = {},
  expected: Partial<IdTokenExpectations> = {},
): Promise<VerifyResult> {
  const claims = { ...accessTokenClaims, aud: clientId, nonce: "n-1", ...change };
  const { issuer: iss, algorithms } = rules;
  const expectations = { rules: { issuer: iss, algorithms, keys }, clientId, nonce: "n-1", ...expected };
  return judgeIdToken(await signer.sign(claims), expectations, now);
}

const logoutEvent = { "http://schemas.openid.net/event/backchannel-logout": {} };

export async function judgedLogoutToken(change: JwtClaims = {}, header: Header = {}): Promise<VerifyResult> {
  const claims = {
    ...accessTokenClaims,
    aud: clientId,
    jti: "j-1",
    sid: "s-1",
    events: logoutEvent,
    ...change,
  };
  return judgeLogoutToken(
    await signer.sign(claims, { typ: "logout+jwt", ...header }),
    { ...rules, audience: clientId },
    now,
  );
}

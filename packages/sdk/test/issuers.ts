import { base64url, exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JWTPayload } from "jose";
import { createSdk } from "../src/index.ts";
import type { ValidationResult } from "../src/index.ts";

/** A claims set in the making; an undefined claim is left out. */
export type Claims = { [Name in keyof JWTPayload]: JWTPayload[Name] | undefined };

// Tokens are made here with jose alone: nothing of ours signs them.

export const now = 1_800_000_000;
export const env = {
  IDPORTEN_ISSUER: "https://idporten.example",
  IDPORTEN_JWKS_URI: "https://idporten.example/jwks",
  IDPORTEN_AUDIENCE: "https://platform.example",
  AZURE_OPENID_CONFIG_ISSUER: "https://entra.example/tenant/v2.0",
  AZURE_OPENID_CONFIG_JWKS_URI: "https://entra.example/keys",
  AZURE_APP_CLIENT_ID: "11111111-0000-0000-0000-000000000001",
  TOKEN_X_ISSUER: "https://tokenx.example",
  TOKEN_X_JWKS_URI: "https://tokenx.example/jwks",
  TOKEN_X_CLIENT_ID: "local:benefits:api",
  MASKINPORTEN_ISSUER: "https://maskinporten.example/",
  MASKINPORTEN_JWKS_URI: "https://maskinporten.example/jwk",
};

export const keys = {
  idporten: await generateKeyPair("RS256", { extractable: true }),
  entra: await generateKeyPair("RS256", { extractable: true }),
  tokenx: await generateKeyPair("RS256", { extractable: true }),
  maskinporten: await generateKeyPair("RS256", { extractable: true }),
  stranger: await generateKeyPair("RS256", { extractable: true }),
};
export type Issuer = keyof typeof keys;

const jwks = async (name: Issuer) =>
  Response.json({ keys: [{ ...(await exportJWK(keys[name].publicKey)), kid: name, use: "sig" }] });

export const fetched: string[] = [];
export const answer = async (input: string | URL | Request): Promise<Response> => {
  const url = input instanceof Request ? input.url : String(input);
  fetched.push(url);
  const { hostname } = new URL(url);
  return jwks(hostname.split(".")[0] as Issuer);
};
export const sdk = createSdk({ env, now: () => now, fetch: answer });

const base = { iat: now - 10, nbf: now - 10, exp: now + 300, jti: "1", sub: "someone" };
export const citizen: Claims = {
  ...base,
  iss: env.TOKEN_X_ISSUER,
  aud: env.TOKEN_X_CLIENT_ID,
  client_id: "local:benefits:portal",
  idp: env.IDPORTEN_ISSUER,
  pid: "12345678901",
  acr: "Level4",
};
export const idporten: Claims = {
  ...base,
  iss: env.IDPORTEN_ISSUER,
  aud: env.IDPORTEN_AUDIENCE,
  client_id: "portal",
  pid: "12345678901",
  acr: "idporten-loa-substantial",
};
export const employee: Claims = {
  ...base,
  iss: env.AZURE_OPENID_CONFIG_ISSUER,
  aud: env.AZURE_APP_CLIENT_ID,
  azp: "22222222-0000-0000-0000-000000000002",
  azp_name: "local:benefits:caseworker",
  scp: "defaultaccess read",
  oid: "oid-1",
  NAVident: "A123456",
  name: "Anna",
  preferred_username: "anna@example.org",
  groups: ["group-1"],
};
const { scp: _scp, NAVident: _ident, groups: _groups, ...plain } = employee;
export const machine: Claims = { ...plain, idtyp: "app", roles: ["access_as_application"] };
export const organisation: Claims = {
  ...base,
  iss: env.MASKINPORTEN_ISSUER,
  client_id: "mp-client",
  scope: "benefits:read benefits:write",
  consumer: { authority: "iso6523-actorid-upis", ID: "0192:889640782" },
};

export const sign = (claims: Claims, key: Issuer, header: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT(claims as JWTPayload)
    .setProtectedHeader({ alg: "RS256", kid: key, ...header })
    .sign(keys[key].privateKey);
export const unsigned = (header: object, claims: object): string =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(claims))}.`;
export const codeOf = (result: ValidationResult): string => (result.ok ? "accepted" : result.code);

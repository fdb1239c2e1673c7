import { createHash } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JWTPayload } from "jose";
import { citizen, now, sign } from "./issuers.ts";

// Proofs are made here with jose alone, as RFC 9449 section 4.2 describes them.

const pair = await generateKeyPair("ES256", { extractable: true });
const stranger = await generateKeyPair("ES256", { extractable: true });
const jwk = await exportJWK(pair.publicKey);
const strangersJwk = await exportJWK(stranger.publicKey);

/** A token of TokenX's that is bound to the key above. */
export const boundToken = await sign(
  { ...citizen, cnf: { jkt: await calculateJwkThumbprint(jwk) } },
  "tokenx",
);

export const hashOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

let made = 0;
/** A proof for `GET https://api.example/things` with the bound token, but for what is changed; an undefined claim is left out. */
export async function proof(
  claims: Record<string, unknown> = {},
  o: { by?: "stranger"; header?: Record<string, unknown> } = {},
): Promise<string> {
  made += 1;
  const right = { htm: "GET", htu: "https://api.example/things", iat: now, jti: `proof-${made}` };
  const all = { ...right, ath: hashOf(boundToken), ...claims } as JWTPayload;
  const key = o.by === "stranger" ? strangersJwk : jwk;
  return new SignJWT(all)
    .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk: key, ...o.header })
    .sign((o.by === "stranger" ? stranger : pair).privateKey);
}

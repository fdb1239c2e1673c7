import { createHmac, createPublicKey, type webcrypto } from "node:crypto";
import { createSigner, generatePrivateJwk, peekJwt, type JwtClaims } from "@portvakt/oauth";
import { Failed } from "../failed.ts";

// Tokens as an attacker would make them out of a right one. They are for showing that they are refused.

/** The same token with another signature. */
export function withBadSignature(token: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const first = signature.startsWith("A") ? "B" : "A";
  return `${header}.${payload}.${first}${signature.slice(1)}`;
}

/** RFC 8725 section 3.2: `alg: none` and no signature. */
export function unsigned(token: string): string {
  return `${part({ alg: "none", typ: "JWT" })}.${payloadOf(token)}.`;
}

/** RFC 8725 section 2.1: signed by HMAC, with the provider's public key as the secret. */
export function signedWithPublicKey(token: string, publicJwk: webcrypto.JsonWebKey): string {
  const pem = createPublicKey({ key: publicJwk, format: "jwk" }).export({ type: "spki", format: "pem" });
  const kid = peekJwt(token)?.header["kid"];
  const signed = `${part({ alg: "HS256", typ: "JWT", kid })}.${payloadOf(token)}`;
  return `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
}

/** The same claims, well signed, by a key that the provider never published. */
export async function signedByStranger(token: string): Promise<string> {
  const signer = await createSigner(await generatePrivateJwk("RS256"));
  return await signer.sign(claimsOf(token), { typ: "JWT" });
}

function claimsOf(token: string): JwtClaims {
  const seen = peekJwt(token);
  if (seen === undefined) throw new Failed("what should be a token is not one");
  return seen.claims;
}

function payloadOf(token: string): string {
  return token.split(".")[1] ?? "";
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

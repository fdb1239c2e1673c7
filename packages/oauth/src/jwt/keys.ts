import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { Fault } from "../errors.ts";
import { isSignatureAlgorithm, signatureAlgorithms, type SignatureAlgorithm } from "./algorithms.ts";
import type { JwtClaims } from "./claims.ts";
import { encoding } from "./encoding.ts";
import { importSigningKey } from "./signature.ts";

/** A private key that signs JWTs, with the public half that verifies them. */
export interface Signer {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly publicJwk: JWK;
  /** Signs the claims as they are. `header.typ` defaults to `JWT`. */
  sign(claims: JwtClaims, header?: { typ?: string; [member: string]: unknown }): Promise<string>;
}

/**
 * Makes a signer of a private JWK.
 *
 * Checks: the key type, that it is private, that `alg` (default by key type) fits it. `kid` defaults to the RFC 7638
 * thumbprint. Throws: Fault `bad_key`, which never holds key material.
 */
export async function createSigner(jwk: JWK): Promise<Signer> {
  const alg = algorithmOf(jwk);
  const key = await importSigningKey(jwk, alg);
  const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk));
  const plain = encoding.fromJson({ typ: "JWT", alg, kid });
  return {
    kid,
    alg,
    publicJwk: publicJwkOf({ ...jwk, kid, alg }),
    async sign(claims, header) {
      const head = isPlain(header) ? plain : encoding.fromJson({ typ: "JWT", ...header, alg, kid });
      const input = `${head}.${encoding.fromJson(claims)}`;
      return `${input}.${encoding.toBase64url(await key.sign(encoding.ascii(input)))}`;
    },
  };
}

/** Whether a header has nothing but the usual type. */
function isPlain(header: Readonly<Record<string, unknown>> = {}): boolean {
  for (const name in header) if (name !== "typ" || header[name] !== "JWT") return false;
  return true;
}

/** Generates a private JWK (RSA keys have 2048 bits) with `kid`, `alg` and `use`. */
export async function generatePrivateJwk(alg: SignatureAlgorithm = "RS256"): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: "sig" };
}

/** The public half: only members that RFC 7517 and RFC 7518 define for a public key, whatever else was in there. */
export function publicJwkOf(jwk: JWK): JWK {
  const { kty, kid, alg, use, n, e, crv, x, y } = jwk;
  const members = { kty, kid, alg, use: use ?? "sig", n, e, crv, x, y };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function algorithmOf(jwk: JWK): SignatureAlgorithm {
  const alg = jwk.alg ?? defaultAlgorithm(jwk);
  if (!isSignatureAlgorithm(alg))
    throw new Fault("bad_key", "the key's alg is not an asymmetric signature algorithm");
  return alg;
}

function defaultAlgorithm(jwk: JWK): string | undefined {
  return Object.entries(signatureAlgorithms).find(
    ([, { kty, crv }]) => kty === jwk.kty && (crv === undefined || crv === jwk.crv),
  )?.[0];
}

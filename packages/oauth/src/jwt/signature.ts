import { base64url, importJWK, type JWK } from "jose";
import { Fault } from "../errors.ts";
import { signatureAlgorithms, type SignatureAlgorithm, type SignatureScheme } from "./algorithms.ts";
import { nativeCrypto, type NativeCrypto } from "./native.ts";
import { turnOnOneCore } from "./one-core.ts";

/** A public key that is bound to one algorithm. */
export interface VerificationKey {
  verify(data: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
}

/** A private key that is bound to one algorithm. */
export interface SigningKey {
  sign(data: Uint8Array): Promise<Uint8Array>;
}

const native = nativeCrypto();
const nextTurn = turnOnOneCore();

/**
 * Imports a public JWK for one algorithm.
 *
 * Checks: type and curve fit the algorithm; an RSA key has at least 2048 bits (RFC 7518 section 3.3). Throws: Fault `bad_key`.
 */
export async function importVerificationKey(jwk: JWK, alg: SignatureAlgorithm): Promise<VerificationKey> {
  const scheme = schemeFor(jwk, alg);
  const { d: _private, ...publicJwk } = jwk;
  return guarded(alg, () =>
    native === undefined
      ? webVerificationKey(publicJwk, alg, scheme)
      : nativeVerificationKey(native, publicJwk, scheme),
  );
}

/** Imports a private JWK for one algorithm. Checks and throws as `importVerificationKey`, and that the key is private. */
export async function importSigningKey(jwk: JWK, alg: SignatureAlgorithm): Promise<SigningKey> {
  const scheme = schemeFor(jwk, alg);
  if (typeof jwk.d !== "string") throw new Fault("bad_key", "the key is not a private key");
  return guarded(alg, () =>
    native === undefined ? webSigningKey(jwk, alg, scheme) : nativeSigningKey(native, jwk, scheme),
  );
}

function schemeFor(jwk: JWK, alg: SignatureAlgorithm): SignatureScheme {
  const scheme = signatureAlgorithms[alg];
  if (jwk.kty !== scheme.kty || (scheme.crv !== undefined && jwk.crv !== scheme.crv)) {
    throw new Fault("bad_key", `a key of this type cannot be used for ${alg}`);
  }
  if (scheme.kty === "RSA" && base64url.decode(jwk.n ?? "").length < 256) {
    throw new Fault("bad_key", "an RSA key needs at least 2048 bits");
  }
  return scheme;
}

/** Errors of the crypto library may quote what they were given: only the code goes on. */
async function guarded<T>(alg: SignatureAlgorithm, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch {
    throw new Fault("bad_key", `the key cannot be used for ${alg}`);
  }
}

// Verifying is synchronous on Node: at 17 µs it costs less than the way to a thread and back (docs/decisions/0004).
function nativeVerificationKey(crypto: NativeCrypto, jwk: JWK, scheme: SignatureScheme): VerificationKey {
  const key = crypto.createPublicKey({ key: jwk, format: "jwk" });
  const options = { key, ...nativeOptions(scheme) };
  const hash = nativeHash(scheme);
  return { verify: (data, signature) => crypto.verify(hash, data, options, signature) };
}

// RSA signing takes ten times as long, so it goes to the thread pool, or to the next turn of the event loop where a thread
// would have no core; the others are quick (docs/decisions/0004).
function nativeSigningKey(crypto: NativeCrypto, jwk: JWK, scheme: SignatureScheme): SigningKey {
  const key = crypto.createPrivateKey({ key: jwk, format: "jwk" });
  const options = { key, ...nativeOptions(scheme) };
  const hash = nativeHash(scheme);
  if (scheme.kty !== "RSA") return { sign: async (data) => crypto.sign(hash, data, options) };
  if (nextTurn !== undefined)
    return {
      sign: async (data) => {
        await nextTurn();
        return crypto.sign(hash, data, options);
      },
    };
  return {
    sign: (data) =>
      new Promise((resolve, reject) => {
        // Node keeps what a thread has signed until the next full garbage collection: not a piece of Buffer's pool, and with it all of it.
        crypto.sign(hash, new Uint8Array(data), options, (error, signature) => {
          if (error === null) resolve(signature);
          else reject(error);
        });
      }),
  };
}

function nativeHash(scheme: SignatureScheme): string | null {
  return scheme.scheme === "Ed25519" ? null : scheme.hash.replace("-", "").toLowerCase();
}

function nativeOptions({ scheme, hashBytes }: SignatureScheme): Record<string, unknown> {
  if (scheme === "ECDSA") return { dsaEncoding: "ieee-p1363" };
  // 6 is RSA_PKCS1_PSS_PADDING. RFC 7518 section 3.5: the salt is as long as the hash.
  return scheme === "RSA-PSS" ? { padding: 6, saltLength: hashBytes } : {};
}

async function webVerificationKey(jwk: JWK, alg: string, scheme: SignatureScheme): Promise<VerificationKey> {
  const key = (await importJWK(jwk, alg)) as CryptoKey;
  const params = webParams(scheme);
  return { verify: (data, signature) => crypto.subtle.verify(params, key, bytes(signature), bytes(data)) };
}

async function webSigningKey(jwk: JWK, alg: string, scheme: SignatureScheme): Promise<SigningKey> {
  const key = (await importJWK(jwk, alg)) as CryptoKey;
  const params = webParams(scheme);
  return { sign: async (data) => new Uint8Array(await crypto.subtle.sign(params, key, bytes(data))) };
}

function webParams({ scheme, hash, hashBytes }: SignatureScheme): RsaPssParams & EcdsaParams {
  return { name: scheme, hash, saltLength: hashBytes };
}

function bytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return data as Uint8Array<ArrayBuffer>;
}

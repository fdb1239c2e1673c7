/**
 * The signature algorithms that Portvakt accepts and makes: asymmetric ones only. `none` and HMAC have no row, so that
 * no code path can reach them (RFC 8725 sections 3.1 and 3.2). `hash` is also what OpenID Connect's `at_hash` uses.
 */
export const signatureAlgorithms = {
  RS256: { kty: "RSA", crv: undefined, scheme: "RSASSA-PKCS1-v1_5", hash: "SHA-256", hashBytes: 32 },
  RS384: { kty: "RSA", crv: undefined, scheme: "RSASSA-PKCS1-v1_5", hash: "SHA-384", hashBytes: 48 },
  RS512: { kty: "RSA", crv: undefined, scheme: "RSASSA-PKCS1-v1_5", hash: "SHA-512", hashBytes: 64 },
  PS256: { kty: "RSA", crv: undefined, scheme: "RSA-PSS", hash: "SHA-256", hashBytes: 32 },
  PS384: { kty: "RSA", crv: undefined, scheme: "RSA-PSS", hash: "SHA-384", hashBytes: 48 },
  PS512: { kty: "RSA", crv: undefined, scheme: "RSA-PSS", hash: "SHA-512", hashBytes: 64 },
  ES256: { kty: "EC", crv: "P-256", scheme: "ECDSA", hash: "SHA-256", hashBytes: 32 },
  ES384: { kty: "EC", crv: "P-384", scheme: "ECDSA", hash: "SHA-384", hashBytes: 48 },
  ES512: { kty: "EC", crv: "P-521", scheme: "ECDSA", hash: "SHA-512", hashBytes: 64 },
  EdDSA: { kty: "OKP", crv: "Ed25519", scheme: "Ed25519", hash: "SHA-512", hashBytes: 64 },
  Ed25519: { kty: "OKP", crv: "Ed25519", scheme: "Ed25519", hash: "SHA-512", hashBytes: 64 },
} as const satisfies Record<string, SignatureScheme>;

/** One row of the table. */
export interface SignatureScheme {
  readonly kty: "RSA" | "EC" | "OKP";
  readonly crv: string | undefined;
  readonly scheme: "RSASSA-PKCS1-v1_5" | "RSA-PSS" | "ECDSA" | "Ed25519";
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
  readonly hashBytes: number;
}

export type SignatureAlgorithm = keyof typeof signatureAlgorithms;

/** Whether the name is one of the table's. */
export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === "string" && Object.hasOwn(signatureAlgorithms, name);
}

/**
 * The signature algorithms that Portvakt accepts and makes: asymmetric ones only. `none` and HMAC have no row, so that
 * no code path can reach them (RFC 8725 sections 3.1 and 3.2). `hash` is what OpenID Connect's `at_hash` uses.
 */
export const signatureAlgorithms = {
  RS256: { kty: "RSA", crv: undefined, hash: "SHA-256" },
  RS384: { kty: "RSA", crv: undefined, hash: "SHA-384" },
  RS512: { kty: "RSA", crv: undefined, hash: "SHA-512" },
  PS256: { kty: "RSA", crv: undefined, hash: "SHA-256" },
  PS384: { kty: "RSA", crv: undefined, hash: "SHA-384" },
  PS512: { kty: "RSA", crv: undefined, hash: "SHA-512" },
  ES256: { kty: "EC", crv: "P-256", hash: "SHA-256" },
  ES384: { kty: "EC", crv: "P-384", hash: "SHA-384" },
  ES512: { kty: "EC", crv: "P-521", hash: "SHA-512" },
  EdDSA: { kty: "OKP", crv: "Ed25519", hash: "SHA-512" },
  Ed25519: { kty: "OKP", crv: "Ed25519", hash: "SHA-512" },
} as const satisfies Record<string, { kty: string; crv: string | undefined; hash: string }>;

export type SignatureAlgorithm = keyof typeof signatureAlgorithms;

/** Whether the name is one of the table's. */
export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === "string" && Object.hasOwn(signatureAlgorithms, name);
}

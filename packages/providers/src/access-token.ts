import type { JwtClaims, SignatureAlgorithm, VerifiedToken } from "@portvakt/oauth";

/** RSA signatures, which all four providers document; the generic provider may be configured with others. */
export const rsaAlgorithms: readonly SignatureAlgorithm[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
];

/** Header types of access tokens: RFC 9068 section 2.1, and the plain `JWT` (or nothing) that came before it. */
const accessTokenTypes: readonly (string | undefined)[] = [undefined, "jwt", "at+jwt"];

/** Claims that only ID tokens hold: OpenID Connect Core sections 2, 3.1.3.6 and 3.3.2.11. */
const idTokenClaims = ["nonce", "at_hash", "c_hash", "s_hash"] as const;

/** A sentence when the token's `typ` is not that of an access token; undefined when it is. */
export function objectToType({ header }: VerifiedToken): string | undefined {
  const typ = header["typ"];
  const name = typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : typ;
  return accessTokenTypes.includes(name as string | undefined)
    ? undefined
    : "the token's typ is not that of an access token";
}

/** A sentence when the claims are those of an ID token; undefined when they are not (RFC 8725 section 3.12). */
export function objectToIdToken(claims: Readonly<JwtClaims>): string | undefined {
  const telltale = idTokenClaims.find((name) => claims[name] !== undefined);
  return telltale === undefined
    ? undefined
    : `this is an ID token (it has ${telltale}), not an access token: ID tokens are for the client that signed the user in, never for calling an API`;
}

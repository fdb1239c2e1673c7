/** A JWT claims set (RFC 7519 section 4). Nothing about the values is certain until a token is verified. */
export interface JwtClaims {
  iss?: string;
  sub?: string;
  aud?: string | string[];
  /** Seconds since the epoch, as all times in here. */
  exp?: number;
  nbf?: number;
  iat?: number;
  jti?: string;
  [claim: string]: unknown;
}

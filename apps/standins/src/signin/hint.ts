import { anyAudience, peekJwt, verifyJwt, type JwtClaims } from "@portvakt/oauth";
import type { Signing } from "../keys/signing.ts";

/**
 * Opens an `id_token_hint` (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2).
 * *Checks* that this issuer signed it, as an ID token. *Does not check* its times: an ID token may live for two minutes
 * and is a hint for hours; nor whom it was for. Undefined for anything else.
 */
export async function openHint(
  hint: string,
  issuer: string,
  signing: Signing,
): Promise<JwtClaims | undefined> {
  const issuedAt = peekJwt(hint)?.claims.iat ?? 0;
  const verified = await verifyJwt(
    hint,
    {
      issuer,
      audience: anyAudience,
      keys: signing.keySet,
      algorithms: ["RS256"],
      typ: ["", "jwt"],
      required: ["iss", "sub", "aud", "exp", "iat"],
    },
    () => issuedAt,
  );
  if (!verified.ok) return undefined;
  // An access token that is typed as plain JWT says which scope it is for; an ID token never does.
  return verified.token.claims["scope"] === undefined && verified.token.claims["scp"] === undefined
    ? { ...verified.token.claims }
    : undefined;
}

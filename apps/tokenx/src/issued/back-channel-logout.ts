import { readFormRequest } from "@portvakt/issuer";
import { judgeLogoutToken, peekJwt, ProtocolError, signatureAlgorithms } from "@portvakt/oauth";
import type { Clock, SignatureAlgorithm } from "@portvakt/oauth";
import type { Revocations } from "../registry/revocations.ts";
import type { IssuerRules } from "../subject/claims.ts";
import type { TrustedIssuers } from "../trusted-issuers.ts";

export interface BackChannelLogoutOptions {
  readonly issuers: TrustedIssuers<IssuerRules>;
  readonly revocations: Revocations;
  readonly now: Clock;
}

const maxBytes = 32_768;
const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];

/**
 * Takes an identity provider's word that a session ended (OpenID Connect Back-Channel Logout 1.0 section 2.5), and with it ends every
 * token that came of the session. Only providers that have a `logoutAudience` among the subject rules are listened to.
 */
export function backChannelLogout(
  options: BackChannelLogoutOptions,
): (request: Request) => Promise<Response> {
  return async (raw) => {
    const { params } = await readFormRequest(raw, [], maxBytes);
    const token = params.one("logout_token");
    if (token === undefined) throw new ProtocolError("invalid_request", "parameter logout_token is missing");
    const known = await options.issuers.find(peekJwt(token)?.claims.iss);
    const audience = known?.rules.logoutAudience;
    if (known === undefined || audience === undefined)
      throw new ProtocolError("invalid_request", "the logout token's issuer is not listened to");
    const { issuer, keys } = known;
    const result = await judgeLogoutToken(token, { issuer, audience, keys, algorithms }, options.now);
    if (!result.ok)
      throw new ProtocolError("invalid_request", `the logout token is refused: ${result.refusal.message}`);
    const { sid } = result.token.claims;
    if (typeof sid !== "string")
      throw new ProtocolError("invalid_request", "the logout token names no session");
    await options.revocations.revokeSession(issuer, sid);
    return new Response(null, { status: 200, headers: { "cache-control": "no-store" } });
  };
}

import { audiencesOf, anyAudience, ProtocolError, signatureAlgorithms, verifyJwt } from "@portvakt/oauth";
import type { Clock, FormParams, KeySet, SignatureAlgorithm, VerifiedToken } from "@portvakt/oauth";
import type { Application } from "../registry/registration.ts";
import type { Revocations } from "../registry/revocations.ts";

export interface IssuedTokensOptions {
  readonly issuer: string;
  readonly keys: KeySet;
  readonly revocations: Revocations;
  readonly now: Clock;
}

interface ClientRequest {
  readonly params: FormParams;
  readonly client: Application;
}

const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];

/**
 * Introspection (RFC 7662) of tokens that this server issued, for the application that a token is for and the one that got it.
 * To others, and of anything else, it says no more than that the token is not active (section 4).
 */
export function introspection(options: IssuedTokensOptions) {
  return async ({ params, client }: ClientRequest): Promise<Record<string, unknown>> => {
    const token = await findIssued(params, options);
    if (token === undefined || !concerns(token, client) || options.revocations.isRevoked(token.claims))
      return { active: false };
    const typ = token.header["typ"];
    const tokenType = token.claims["cnf"] === undefined ? "Bearer" : "DPoP";
    return { ...token.claims, active: true, token_type: tokenType, ...(typeof typ === "string" && { typ }) };
  };
}

/**
 * Revocation (RFC 7009) of one token by the client that it was issued to. What cannot be verified is not worth revoking, and
 * answered in the same way (section 2.2).
 */
export function revocation(options: IssuedTokensOptions) {
  return async ({ params, client }: ClientRequest): Promise<undefined> => {
    const token = await findIssued(params, options);
    if (token === undefined) return;
    const { jti, exp = 0, client_id: owner } = token.claims;
    if (owner !== client.id)
      throw new ProtocolError("unauthorized_client", "the token was issued to another client");
    if (jti !== undefined) await options.revocations.revokeToken(jti, exp);
  };
}

async function findIssued(
  params: FormParams,
  options: IssuedTokensOptions,
): Promise<VerifiedToken | undefined> {
  const raw = params.one("token");
  if (raw === undefined) throw new ProtocolError("invalid_request", "parameter token is missing");
  const { issuer, keys } = options;
  const rules = { issuer, audience: anyAudience, keys, algorithms, toleranceSeconds: 0 } as const;
  const result = await verifyJwt(raw, rules, options.now);
  return result.ok ? result.token : undefined;
}

function concerns(token: VerifiedToken, client: Application): boolean {
  return token.claims["client_id"] === client.id || audiencesOf(token.claims).includes(client.id);
}

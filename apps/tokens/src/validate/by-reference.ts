import { anyAudience, audiencesOf, type JwtClaims, type VerifyRules } from "@portvakt/oauth";
import { buildIntrospectionRequest, judgeIntrospectionResponse } from "@portvakt/providers";
import type { Connection, Discovered } from "../connections/connection.ts";
import { activeBody, inactive, type JudgeOptions, type Judgement } from "./judgement.ts";

const timeoutSeconds = 2;
/** Tolerated difference of clocks, as for JWTs. */
const toleranceSeconds = 10;

/**
 * Asks the provider about a by-reference token (RFC 7662). What it says is judged by the same rules as a JWT's claims:
 * issuer, audience, expiry. Nothing is remembered, for that such a token can be withdrawn is the point of it.
 */
export async function judgeByReference(
  options: JudgeOptions,
  { provider, breaker }: Connection,
  under: Discovered,
  token: string,
): Promise<Judgement> {
  const { introspectionEndpoint: endpoint, auth } = under;
  if (endpoint === undefined || auth === undefined) {
    return inactive(
      "malformed",
      "this is not a signed JWT, and by-reference tokens cannot be asked about here",
    );
  }
  if (!breaker.enter()) return inactive("keys_unavailable", `${provider.title} is not answering`);
  try {
    const request = await buildIntrospectionRequest({ endpoint, token, auth });
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const answer = await judgeIntrospectionResponse(await options.fetch(request, { signal }));
    breaker.succeeded();
    if (!answer.active) return inactive("expired", `${provider.title} says that the token is not active`);
    const refusal = judgeClaims(answer.claims, under, options.now());
    if (refusal !== undefined) return refusal;
    return { active: true, body: activeBody(answer.claims) };
  } catch {
    breaker.failed();
    return inactive("keys_unavailable", `${provider.title} cannot be asked about this token`);
  }
}

function judgeClaims(claims: JwtClaims, { issuer, rules }: Discovered, now: number): Judgement | undefined {
  if (claims.iss !== undefined && claims.iss !== issuer) {
    return inactive(
      "wrong_issuer",
      "token can not be validated with this identity provider: the issuer is another",
    );
  }
  if (typeof claims.exp === "number" && claims.exp <= now) {
    return inactive("expired", `the token expired ${Math.round(now - claims.exp)} s ago`);
  }
  if (typeof claims.nbf === "number" && claims.nbf > now + toleranceSeconds) {
    return inactive("not_yet_valid", `the token is not valid for another ${Math.round(claims.nbf - now)} s`);
  }
  return isForUs(claims, rules.audience)
    ? undefined
    : inactive("wrong_audience", "the token is not for this application");
}

function isForUs(claims: JwtClaims, audience: VerifyRules["audience"]): boolean {
  if (audience === anyAudience) return true;
  const wanted = typeof audience === "string" ? [audience] : audience;
  return audiencesOf(claims).some((one) => wanted.includes(one));
}

import { anyAudience, audiencesOf, type JwtClaims, type VerifyRules } from "@portvakt/oauth";
import {
  buildIntrospectionRequest,
  IntrospectionRefused,
  judgeIntrospectionResponse,
} from "@portvakt/providers";
import type { Connection, Discovered } from "../connections/connection.ts";
import { activeBody, inactive, toleranceSeconds, type JudgeOptions, type Judgement } from "./judgement.ts";

const timeoutSeconds = 2;

/**
 * Asks the provider about a by-reference token (RFC 7662). What it says is judged by the same rules as a JWT's claims:
 * issuer, audience, expiry. Nothing is remembered, for that such a token can be withdrawn is the point of it. Whoever calls chooses
 * what is asked about, so that these requests have a breaker of their own: none of them can stop those for tokens.
 */
export async function judgeByReference(
  options: JudgeOptions,
  { provider, introspectionBreaker: breaker }: Connection,
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
  const request = await buildIntrospectionRequest({ endpoint, token, auth }).catch(() => undefined);
  if (request === undefined)
    return inactive("keys_unavailable", `this application cannot prove to ${provider.title} who it is`);
  if (!breaker.enter()) return inactive("keys_unavailable", `${provider.title} is not answering`);
  try {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const answer = await judgeIntrospectionResponse(await options.fetch(request, { signal }));
    breaker.succeeded();
    if (answer.active) return judgeAnswer(answer.claims, under, options.now());
    return inactive("expired", `${provider.title} says that the token is not active`);
  } catch (error) {
    if (error instanceof IntrospectionRefused) {
      breaker.succeeded();
      return inactive("provider_refused", refusal(provider.title, error.status));
    }
    breaker.failed();
    return inactive("keys_unavailable", `${provider.title} cannot be asked about this token`);
  }
}

function refusal(title: string, status: number): string {
  const ours =
    status === 401 || status === 403 ? ": this application may not ask it, or not with its key" : "";
  return `${title} refuses to say whether the token is active (HTTP ${status})${ours}`;
}

function judgeAnswer(claims: JwtClaims, under: Discovered, now: number): Judgement {
  return judgeClaims(claims, under, now) ?? { active: true, body: activeBody(claims), cnf: claims["cnf"] };
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

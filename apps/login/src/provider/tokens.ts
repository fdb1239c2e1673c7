import {
  buildFormRequest,
  buildTokenRequest,
  grantTypes,
  judgeIdToken,
  judgeTokenResponse,
  peekJwt,
  ReportedError,
  tokenRefusals,
  type Clock,
  type TokenResponse,
  type VerifiedToken,
} from "@portvakt/oauth";
import { levelSuffices } from "@portvakt/providers";
import type { Attempt } from "../session/cookies.ts";
import type { Session, SignedIn, Tokens } from "../session/model.ts";
import type { RefreshAnswer } from "../session/at-provider.ts";
import type { Provider } from "./connection.ts";
import { sendWithin } from "./send.ts";

interface NetTools {
  readonly now: Clock;
  readonly fetch: typeof fetch;
}

/** Why an ID token was not accepted. The message is for logs; it holds no token. */
class SignInRefused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "SignInRefused";
    this.code = code;
  }
}

/**
 * Redeems an authorization code (RFC 6749 section 4.1.3) and judges the ID token that comes with it.
 * Checks: all of `judgeIdToken` (signature, `iss`, `aud`, `azp`, times, `nonce`, `auth_time`, `at_hash`), `acr` at or above the level
 * that was asked for, that the access token is a bearer token. Does not check: the access token itself; the application does.
 * Throws: Fault, ReportedError, SignInRefused.
 */
export async function redeemCode(
  provider: Provider,
  attempt: Attempt,
  answer: { readonly code: string; readonly sessionState: string | undefined },
  tools: NetTools,
): Promise<SignedIn> {
  const { code, sessionState } = answer;
  const params = {
    grant_type: grantTypes.authorizationCode,
    code,
    redirect_uri: attempt.redirectUri,
    code_verifier: attempt.verifier,
    client_id: provider.setup.clientId,
  };
  const response = await requestTokens(provider, params, tools.fetch);
  if (response.id_token === undefined)
    throw new SignInRefused("no_id_token", "the provider's answer has no ID token");
  const token = await judge(provider, response.id_token, response.access_token, attempt, tools.now);
  const fields = sessionFields(provider, attempt, token, tokensOf(response, tools.now(), undefined));
  // What OpenID Connect Session Management calls the session, where the ID token has no name for it.
  const providerSession = fields.providerSession ?? sessionState;
  if (providerSession === undefined && provider.metadata["check_session_iframe"] !== undefined)
    throw new SignInRefused(
      "missing_session_state",
      "neither sid nor session_state names the provider's session",
    );
  return { ...fields, providerSession };
}

/** Refreshes a session's tokens (RFC 6749 section 6). Only `invalid_grant` is final; what the provider stumbles over may pass. */
export async function refreshTokens(
  provider: Provider,
  session: Session,
  tools: NetTools,
): Promise<RefreshAnswer> {
  const { refreshToken } = session.tokens;
  if (refreshToken === undefined) return { kind: "refused" };
  const params = {
    grant_type: grantTypes.refreshToken,
    refresh_token: refreshToken,
    client_id: provider.setup.clientId,
  };
  const asked = tools.now();
  let response: TokenResponse;
  try {
    response = await requestTokens(provider, params, tools.fetch);
  } catch (cause) {
    if (cause instanceof ReportedError && cause.error === "invalid_grant") return { kind: "refused" };
    return { kind: "unavailable" };
  }
  const judged = await judgeRenewed(provider, session, response, tools.now);
  if (judged === "another") return { kind: "refused" };
  const tokens = tokensOf(response, asked, session.tokens);
  return {
    kind: "renewed",
    tokens: judged === "unknown" ? { ...tokens, idToken: session.tokens.idToken } : tokens,
  };
}

/** Revokes a session's tokens at the provider (RFC 7009), refresh token first. Best effort: gives whether all went well. */
export async function revokeTokens(
  provider: Provider,
  tokens: Partial<Pick<Tokens, "refreshToken" | "accessToken">>,
  fetcher: typeof fetch,
): Promise<boolean> {
  const endpoint = provider.metadata.revocation_endpoint;
  if (endpoint === undefined) return true;
  const revoke = async (token: string | undefined, hint: string): Promise<boolean> => {
    if (token === undefined) return true;
    const params = { token, token_type_hint: hint };
    const response = await sendWithin(
      await buildFormRequest({ endpoint, params, auth: provider.auth }),
      fetcher,
    );
    await response.body?.cancel();
    return response.ok;
  };
  const results = [
    await revoke(tokens.refreshToken, "refresh_token"),
    await revoke(tokens.accessToken, "access_token"),
  ];
  return results.every(Boolean);
}

async function requestTokens(
  provider: Provider,
  params: Record<string, string>,
  fetcher: typeof fetch,
): Promise<TokenResponse> {
  const endpoint = provider.metadata.token_endpoint ?? "";
  const request = await buildTokenRequest({ endpoint, params, auth: provider.auth });
  const response = await judgeTokenResponse(await sendWithin(request, fetcher));
  if (response.token_type.toLowerCase() !== "bearer")
    throw new SignInRefused("token_type", "the access token is no bearer token");
  return response;
}

async function judge(
  provider: Provider,
  idToken: string,
  accessToken: string,
  attempt: Attempt,
  now: Clock,
): Promise<VerifiedToken> {
  const { setup, metadata } = provider;
  const result = await judgeIdToken(
    idToken,
    {
      rules: provider.rules,
      clientId: setup.clientId,
      nonce: attempt.nonce,
      accessToken,
      trustedAudiences: setup.trustedAudiences,
      ...(attempt.maxAgeSeconds === undefined ? {} : { maxAgeSeconds: attempt.maxAgeSeconds }),
    },
    now,
  );
  if (!result.ok) throw new SignInRefused(result.refusal.code, result.refusal.message);
  const { acr, sid } = result.token.claims;
  if (attempt.level !== undefined && !levelSuffices(setup.habits, text(acr), attempt.level))
    throw new SignInRefused(
      "level_too_low",
      "the provider signed the user in below the level that was asked for",
    );
  if (
    metadata.frontchannel_logout_supported === true &&
    metadata.frontchannel_logout_session_supported === true &&
    text(sid) === undefined
  )
    throw new SignInRefused(
      "missing_sid",
      "the ID token has no sid, although the provider announces logout by session",
    );
  return result.token;
}

function sessionFields(
  provider: Provider,
  attempt: Attempt,
  token: VerifiedToken,
  tokens: Omit<Tokens, "idToken"> & { idToken: string | undefined },
): SignedIn {
  const { claims } = token;
  const amr = claims["amr"];
  return {
    provider: provider.setup.name,
    issuer: claims.iss ?? provider.metadata.issuer,
    subject: claims.sub ?? "",
    providerSession: text(claims["sid"]),
    hasSid: text(claims["sid"]) !== undefined,
    level: text(claims["acr"]),
    methods: Array.isArray(amr) ? amr.filter((one) => typeof one === "string").slice(0, 10) : [],
    authenticatedAt: typeof claims["auth_time"] === "number" ? claims["auth_time"] : undefined,
    nonce: attempt.nonce,
    tokens: { ...tokens, idToken: token.raw },
  };
}

/**
 * OpenID Connect Core section 12.2: after a refresh the ID token speaks of the same user, client and authentication. One that
 * cannot be judged at the moment (its key is not at hand) is not kept; the tokens beside it are, for the old ones may be spent.
 */
async function judgeRenewed(
  provider: Provider,
  session: Session,
  response: TokenResponse,
  now: Clock,
): Promise<"same" | "another" | "unknown"> {
  if (response.id_token === undefined) return "same";
  const { rules, setup } = provider;
  const expected = {
    rules,
    clientId: setup.clientId,
    nonce: undefined,
    accessToken: response.access_token,
    trustedAudiences: setup.trustedAudiences,
  };
  const result = await judgeIdToken(response.id_token, expected, now);
  if (!result.ok) {
    const { code } = result.refusal;
    // Fresh from the provider and expired: our clock and the provider's disagree, and nobody may be signed out by that.
    return tokenRefusals[code].retry || code === "expired" ? "unknown" : "another";
  }
  const { iss, sub, nonce, auth_time, iat = 0 } = result.token.claims;
  // An older ID token again is not the one that this refresh issued; the tokens beside it may be.
  if (iat <= (peekJwt(session.tokens.idToken)?.claims.iat ?? 0)) return "unknown";
  const same =
    iss === session.issuer &&
    sub === session.subject &&
    (nonce === undefined || nonce === session.nonce) &&
    (auth_time === undefined ||
      session.authenticatedAt === undefined ||
      auth_time === session.authenticatedAt);
  return same ? "same" : "another";
}

/** A response without `refresh_token` or `id_token` keeps the old one (RFC 6749 section 6). */
function tokensOf(response: TokenResponse, now: number, before: Tokens | undefined): Tokens {
  return {
    accessToken: response.access_token,
    idToken: response.id_token ?? before?.idToken ?? "",
    refreshToken: response.refresh_token ?? before?.refreshToken,
    expiresAt: response.expires_in === undefined ? undefined : now + response.expires_in,
    refreshedAt: now,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

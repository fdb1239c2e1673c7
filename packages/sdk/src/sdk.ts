import { audiencesOf, peekJwt } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import { createDirectApi } from "./direct/direct-api.ts";
import { resourceMetadata } from "./metadata.ts";
import type { MetadataOptions, ProtectedResourceMetadata } from "./metadata.ts";
import { settingsFrom } from "./settings.ts";
import type { Environment, SdkSettings } from "./settings.ts";
import type { ProviderName } from "./providers.ts";
import { inSpan } from "./spans.ts";
import { createStopwatch } from "./stopwatch.ts";
import { createTokenApi } from "./token-api.ts";
import type { NotObtained, TokenApi, TokenResult } from "./token-api.ts";
import { createValidateToken } from "./validate.ts";
import type { ValidateOptions, ValidateToken, ValidationResult } from "./validate.ts";

export interface SdkOptions {
  /** The variables of the platform. */
  readonly env: Environment;
  /** Seconds since the epoch. */
  readonly now: Clock;
  /** Seconds by a clock that nobody sets; lifetimes are measured by both. Left out: the runtime's own, `performance.now`. */
  readonly steady?: Clock;
  readonly fetch?: typeof fetch;
  /** Bound on each call, default 10 s to the token API and 5 s to a key set. */
  readonly timeoutSeconds?: number;
  /**
   * Where tokens come from: the token API beside the application (default), or straight from the providers, with the
   * application's own keys (`AZURE_APP_JWK`, `TOKEN_X_PRIVATE_JWK`, `MASKINPORTEN_CLIENT_JWK` and so on).
   */
  readonly tokens?: "token-api" | "direct";
  /** Tolerated difference of clocks, default 10 s. */
  readonly toleranceSeconds?: number;
  /** How many verified tokens are remembered until they expire, and for five minutes at most. Default 1,000; 0 for none. */
  readonly rememberedTokens?: number;
  /** How many DPoP proofs are remembered, each for two minutes: of one key half of them at most. Default 100,000. */
  readonly rememberedProofs?: number;
}

type ValidateFor = (
  token: string | null | undefined,
  options?: Omit<ValidateOptions, "providers">,
) => Promise<ValidationResult>;

type Token = string | null | undefined;

/** What the SDK does, over one environment. */
export interface Sdk extends TokenApi {
  readonly now: Clock;
  protectedResourceMetadata(options: MetadataOptions): ProtectedResourceMetadata;
  readonly validateToken: ValidateToken;
  readonly validateIdportenToken: ValidateFor;
  readonly validateAzureToken: ValidateFor;
  readonly validateTokenxToken: ValidateFor;
  readonly validateMaskinportenToken: (
    token: Token,
    options: Omit<ValidateOptions, "providers"> & { readonly scope: string | readonly string[] },
  ) => Promise<ValidationResult>;
  requestOboToken(token: Token, target: string): Promise<TokenResult>;
  requestTokenxOboToken(token: Token, target: string): Promise<TokenResult>;
  requestAzureOboToken(token: Token, target: string): Promise<TokenResult>;
  requestAzureClientCredentialsToken(target: string): Promise<TokenResult>;
  requestMaskinportenToken(
    scope: string,
    options?: {
      readonly resource?: string;
      readonly authorizationDetails?: readonly Readonly<Record<string, unknown>>[];
    },
  ): Promise<TokenResult>;
}

/**
 * Makes an SDK over the given variables, clock and `fetch`. The functions that this package exports do the same over the
 * process's own. Nothing here throws for a bad token or for a variable that is missing: results say so.
 */
export function createSdk(options: SdkOptions): Sdk {
  const settings = settingsFrom(options.env);
  const stopwatch = createStopwatch(options.now, options.steady ?? (() => performance.now() / 1000));
  const validateToken = spannedValidation(createValidateToken({ ...options, settings, stopwatch }));
  const api = spannedApi(
    options.tokens === "direct"
      ? createDirectApi({ ...options, validateToken, stopwatch })
      : createTokenApi({ ...options, settings }),
  );
  const validateFor =
    (provider: ProviderName): ValidateFor =>
    (token, guards = {}) =>
      validateToken(token, { ...guards, providers: provider });
  const exchange = async (provider: ProviderName, token: Token, target: string): Promise<TokenResult> =>
    typeof token === "string" && token !== ""
      ? api.exchangeToken({ provider, target, userToken: token })
      : noUserToken();
  return {
    ...api,
    now: options.now,
    protectedResourceMetadata: (about) => resourceMetadata(about, settings),
    validateToken,
    validateIdportenToken: validateFor("idporten"),
    validateAzureToken: validateFor("entra_id"),
    validateTokenxToken: validateFor("tokenx"),
    validateMaskinportenToken: validateFor("maskinporten"),
    requestTokenxOboToken: (token, target) => exchange("tokenx", token, target),
    requestAzureOboToken: (token, target) => exchange("entra_id", token, target),
    requestOboToken: (token, target) => exchange(exchangerOf(token, settings), token, target),
    requestAzureClientCredentialsToken: (target) => api.getMachineToken({ provider: "entra_id", target }),
    requestMaskinportenToken: (scope, more) =>
      api.getMachineToken({ provider: "maskinporten", target: scope, ...more }),
  };
}

function spannedValidation(validateToken: ValidateToken): ValidateToken {
  return (...args) =>
    inSpan(
      "Validate JWT",
      {},
      () => validateToken(...args),
      (result): Readonly<Record<string, string>> =>
        result.ok
          ? {
              "token.verify.issuer": result.payload.iss ?? "",
              "token.verify.audience": audiencesOf(result.payload).join(" "),
            }
          : {},
    );
}

function spannedApi(api: TokenApi): TokenApi {
  const attributes = (kind: "obo" | "m2m", { target, provider }: { target: string; provider: string }) => ({
    [`token.exchange.${kind}.target`]: target,
    [`token.exchange.${kind}.provider`]: provider,
  });
  return {
    ...api,
    getMachineToken: (ask) =>
      inSpan("Token exchange (m2m)", attributes("m2m", ask), () => api.getMachineToken(ask)),
    exchangeToken: (ask) =>
      inSpan("Token exchange (OBO)", attributes("obo", ask), () => api.exchangeToken(ask)),
  };
}

function noUserToken(): NotObtained {
  return { ok: false, code: "no_token", error: new Error("there is no token to exchange") };
}

/** Entra ID exchanges its own tokens; TokenX exchanges those of ID-porten and its own. The receiver verifies the token. */
function exchangerOf(token: Token, { providers }: SdkSettings): ProviderName {
  const azure = providers.entra_id;
  if ("missing" in azure) return "tokenx";
  if ("missing" in providers.tokenx && "missing" in providers.idporten) return "entra_id";
  const issuer = typeof token === "string" ? peekJwt(token)?.claims.iss : undefined;
  return issuer === azure.issuer ? "entra_id" : "tokenx";
}

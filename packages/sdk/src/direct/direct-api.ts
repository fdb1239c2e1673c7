/**
 * The token API's three calls without a token API: straight to the providers, with the application's own keys.
 */
import { Fault, judgeTokenResponse, peekJwt, ReportedError, sha256 } from "@portvakt/oauth";
import type { Clock, TokenResponse } from "@portvakt/oauth";
import type { ProviderName } from "../providers.ts";
import type { Environment } from "../settings.ts";
import type { Stopwatch } from "../stopwatch.ts";
import { failed, guarded } from "../token-api.ts";
import type { NotObtained, TokenApi, TokenResult } from "../token-api.ts";
import type { ValidateToken } from "../validate.ts";
import { clientOf, issuingNamed, Missing } from "./clients.ts";
import type { IssuingProvider, ProviderClient } from "./clients.ts";
import { directGrants } from "./grants.ts";
import { createTokenCache } from "./token-cache.ts";

/**
 * Makes the same calls as `createTokenApi`, straight to the providers. Tokens are remembered until 30 s before their end.
 * Every call is bounded in time (default 10 s) and size; none throws.
 */
export function createDirectApi(o: {
  readonly env: Environment;
  readonly now: Clock;
  readonly stopwatch: Stopwatch;
  readonly validateToken: ValidateToken;
  readonly fetch?: typeof fetch | undefined;
  readonly timeoutSeconds?: number | undefined;
}): TokenApi {
  const cache = createTokenCache(o.stopwatch);
  const clients = new Map<IssuingProvider, Promise<ProviderClient>>();
  const client = (name: IssuingProvider): Promise<ProviderClient> => {
    const made = clients.get(name) ?? clientOf(name, o.env, o.now);
    clients.set(name, made);
    return made;
  };
  const obtain = async (
    name: IssuingProvider,
    build: (client: ProviderClient) => Promise<Request>,
  ): Promise<TokenResult> => {
    try {
      const request = await build(await client(name));
      const signal = AbortSignal.timeout((o.timeoutSeconds ?? 10) * 1000);
      const response = await (o.fetch ?? fetch)(request, { signal });
      return judge(await judgeTokenResponse(response), o.now());
    } catch (error) {
      return reasonOf(error, name);
    }
  };
  return {
    async getMachineToken(ask) {
      const { provider, target, resource, authorizationDetails, skipCache } = ask;
      const name = issuingNamed(provider);
      const grant = name && directGrants[name].machine;
      if (name === undefined || grant === undefined) return noSuchGrant(provider, "tokens to applications");
      const key = JSON.stringify(["machine", name, target, resource, authorizationDetails]);
      return cache.get(key, () => obtain(name, (own) => grant(own, ask, o.now)), {
        skip: skipCache === true,
      });
    },
    async exchangeToken(ask) {
      const { provider, target, userToken, skipCache } = ask;
      const name = issuingNamed(provider);
      const grant = name && directGrants[name].exchange;
      if (name === undefined || grant === undefined)
        return noSuchGrant(provider, "tokens on behalf of users");
      const key = JSON.stringify(["exchange", name, target, await sha256(userToken)]);
      return cache.get(key, () => obtain(name, (own) => grant(own, ask)), { skip: skipCache === true });
    },
    async introspect(token, provider) {
      const result = await o.validateToken(token, { providers: provider });
      if (result.ok) return { ok: true, active: true, payload: result.payload };
      if (result.code === "not_configured") return failed("not_configured", result.error.message);
      return { ok: true, active: false, error: result.error.message };
    },
    dpopProof: () =>
      Promise.resolve(failed("not_configured", "only the token API gets tokens that need a proof")),
  };
}

function noSuchGrant(provider: ProviderName, what: string): NotObtained {
  return failed("unsupported_grant_type", `${provider} issues no ${what}`);
}

/** RFC 6749 section 5.1: `expires_in` is only recommended; the token's own `exp` stands in for it. */
function judge(answer: TokenResponse, now: number): TokenResult {
  if (answer.token_type.toLowerCase() !== "bearer") {
    return failed("bad_response", "the provider answered with a token that is not a bearer token");
  }
  const { exp } = peekJwt(answer.access_token)?.claims ?? {};
  const expiresIn = answer.expires_in ?? (typeof exp === "number" && Number.isFinite(exp) ? exp - now : 0);
  return guarded({ ok: true, token: answer.access_token, expiresIn: Math.max(0, Math.floor(expiresIn)) });
}

function reasonOf(cause: unknown, provider: ProviderName): NotObtained {
  if (cause instanceof Missing) return failed("not_configured", cause.message);
  if (cause instanceof ReportedError) {
    const { error, description, status } = cause;
    return failed(error, description === undefined ? error : `${error}: ${description}`, { cause, status });
  }
  if (cause instanceof Fault) {
    const code = cause.code === "bad_key" ? "not_configured" : "bad_response";
    return failed(code, `${provider}: ${cause.message}`, { cause });
  }
  return failed("unreachable", `${provider} could not be reached`, { cause });
}

import {
  buildPushedRequest,
  createPkce,
  judgePushedResponse,
  randomToken,
  ReportedError,
  type Clock,
} from "@portvakt/oauth";
import { levelOf } from "@portvakt/providers";
import type { Attempt } from "../session/cookies.ts";
import type { Provider } from "./connection.ts";
import { sendWithin } from "./send.ts";

/** What a sign-in asks for, beyond the provider's own habits. */
export interface SignInWish {
  readonly redirectUri: string;
  readonly target: string;
  readonly level: string | undefined;
  readonly locale: string | undefined;
  readonly prompt: string | undefined;
  readonly domainHint: string | undefined;
  readonly loginHint: string | undefined;
  readonly maxAgeSeconds: number | undefined;
}

/** What every sign-in of this application asks for. */
export interface SignInDefaults {
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}

/** Where the browser goes, and what has to be remembered until it comes back. */
export interface SignIn {
  readonly location: string;
  readonly attempt: Attempt;
}

/**
 * Begins a sign-in (OpenID Connect Core section 3.1.2.1): PKCE with S256, `state` and `nonce` always; pushed (RFC 9126) whenever
 * the provider takes that, and then the browser sees only `client_id` and `request_uri`.
 * Throws: Fault or ReportedError when a pushed request fails.
 */
export async function beginSignIn(
  provider: Provider,
  wish: SignInWish,
  defaults: SignInDefaults,
  tools: { now: Clock; fetch: typeof fetch },
): Promise<SignIn> {
  const pkce = await createPkce();
  const attempt: Attempt = {
    state: randomToken(32),
    nonce: randomToken(32),
    verifier: pkce.verifier,
    provider: provider.setup.name,
    redirectUri: wish.redirectUri,
    target: wish.target,
    level: wish.level,
    prompt: wish.prompt,
    maxAgeSeconds: wish.maxAgeSeconds,
    startedAt: tools.now(),
  };
  const params = authorizationParams(provider, attempt, wish, defaults, pkce.challenge);
  const { authorization_endpoint: endpoint = "", pushed_authorization_request_endpoint: pushEndpoint } =
    provider.metadata;
  const shown = pushEndpoint === undefined ? params : await push(provider, pushEndpoint, params, tools.fetch);
  const location = new URL(endpoint);
  for (const [name, value] of Object.entries(shown))
    if (value !== undefined) location.searchParams.set(name, value);
  return { location: location.href, attempt };
}

function authorizationParams(
  provider: Provider,
  attempt: Attempt,
  wish: SignInWish,
  defaults: SignInDefaults,
  challenge: string,
): Record<string, string | undefined> {
  const { setup } = provider;
  return {
    response_type: "code",
    response_mode: "query",
    client_id: setup.clientId,
    redirect_uri: attempt.redirectUri,
    scope: [...new Set([...setup.habits.scopes(setup.clientId), ...defaults.scopes])].join(" "),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: challenge,
    code_challenge_method: "S256",
    acr_values: wish.level === undefined ? undefined : levelOf(setup.habits, wish.level),
    ui_locales: wish.locale,
    prompt: wish.prompt,
    max_age: wish.maxAgeSeconds?.toString(),
    resource: defaults.resource,
    domain_hint: wish.domainHint,
    login_hint: wish.loginHint,
  };
}

/** A provider's stumble is tried once more, with a client assertion of its own; its refusal is not. */
async function push(
  provider: Provider,
  endpoint: string,
  params: Record<string, string | undefined>,
  fetcher: typeof fetch,
): Promise<Record<string, string>> {
  const once = async (): Promise<string> => {
    const request = await buildPushedRequest({ endpoint, params, auth: provider.auth });
    return (await judgePushedResponse(await sendWithin(request, fetcher))).request_uri;
  };
  const request_uri = await once().catch((cause: unknown) => {
    if (cause instanceof ReportedError && cause.status < 500) throw cause;
    return once();
  });
  return { client_id: provider.setup.clientId, request_uri };
}

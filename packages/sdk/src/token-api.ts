import { Fault, readJson } from "@portvakt/oauth";
import type { JwtClaims } from "@portvakt/oauth";
import { postOverSocket, readSecret } from "./host.ts";
import type { Post } from "./host.ts";
import type { ProviderName } from "./providers.ts";
import { tokenApiVariables } from "./settings.ts";
import type { SdkSettings } from "./settings.ts";

/** Why there is no token: our own codes, or the provider's OAuth error as it came. */
export type AcquireCode = "not_configured" | "unreachable" | "bad_response" | "no_token" | (string & {});

/** A token that was obtained. */
export interface Obtained {
  readonly ok: true;
  readonly token: string;
  /** Seconds that are left of it. */
  readonly expiresIn: number;
  /** Of a token that is bound to a key: sent as `Authorization: DPoP <token>`, with a `DPoP` header made by `dpopProof`. */
  readonly tokenType?: "DPoP";
}

/** What the token API or the provider behind it had against it. `hint` says what to do, where it is known. */
export interface NotObtained {
  readonly ok: false;
  readonly code: AcquireCode;
  readonly error: Error;
  readonly status?: number;
  readonly hint?: string;
}

export type TokenResult = Obtained | NotObtained;

export interface MachineTokenRequest {
  readonly provider: ProviderName;
  /** Entra ID: `cluster:namespace:app` or `api://…/.default`. Maskinporten: scopes with spaces between. */
  readonly target: string;
  /** Maskinporten: the audience to restrict the token to. */
  readonly resource?: string | undefined;
  /** Maskinporten: RFC 9396 authorization details. */
  readonly authorizationDetails?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** Takes a new token though there is one in the cache. */
  readonly skipCache?: boolean | undefined;
}

export interface ExchangeRequest {
  readonly provider: ProviderName;
  readonly target: string;
  /** The token that the caller sent. */
  readonly userToken: string;
  readonly skipCache?: boolean | undefined;
}

export interface ProofRequest {
  /** The method of the request that the proof is for, in capitals. */
  readonly method: string;
  /** Its address. */
  readonly url: string;
  /** The token that goes with it. */
  readonly token: string;
  /** What the receiver asked for with `DPoP-Nonce` (RFC 9449 section 9). */
  readonly nonce?: string | undefined;
}

export type ProofResult = { readonly ok: true; readonly proof: string } | NotObtained;

export type IntrospectionResult =
  | { readonly ok: true; readonly active: true; readonly payload: Readonly<JwtClaims> }
  | { readonly ok: true; readonly active: false; readonly error: string }
  | NotObtained;

/** The calls of the token API beside the application. */
export interface TokenApi {
  getMachineToken(request: MachineTokenRequest): Promise<TokenResult>;
  exchangeToken(request: ExchangeRequest): Promise<TokenResult>;
  introspect(token: string, provider: ProviderName): Promise<IntrospectionResult>;
  /** The `DPoP` header for one request with a token that is bound to a key (RFC 9449 section 4.2), which the token API holds. */
  dpopProof(request: ProofRequest): Promise<ProofResult>;
}

const maxAnswerBytes = 262_144;
const retryMillis = 100;

/** Makes the client of the token API. Every call is bounded in time (default 10 s) and size; none throws. */
export function createTokenApi(o: {
  readonly settings: SdkSettings;
  readonly fetch?: typeof fetch | undefined;
  readonly timeoutSeconds?: number | undefined;
}): TokenApi {
  const { settings, fetch: send = fetch, timeoutSeconds = 10 } = o;
  const post: Post =
    settings.socketPath === undefined
      ? (url, sent) => send(url, { ...sent, method: "POST", redirect: "manual" })
      : postOverSocket(settings.socketPath);
  const call = async (endpoint: Endpoint, body: object): Promise<Answer | NotObtained> => {
    const url = settings[endpoint];
    if (url === undefined) return failed("not_configured", `${variableOf(endpoint)} is not set`);
    const secret = await secretOf(settings);
    return typeof secret === "object" ? secret : ask(post, url, body, { secret, timeoutSeconds });
  };
  return {
    async getMachineToken({ provider, target, resource, authorizationDetails, skipCache }) {
      const body = {
        identity_provider: provider,
        target,
        resource,
        authorization_details: authorizationDetails,
        skip_cache: skipCache,
      };
      return judgeToken(await call("tokenEndpoint", body));
    },
    async exchangeToken({ provider, target, userToken, skipCache }) {
      const body = { identity_provider: provider, target, user_token: userToken, skip_cache: skipCache };
      return judgeToken(await call("exchangeEndpoint", body));
    },
    async introspect(token, provider) {
      const body = { identity_provider: provider, token };
      return judgeIntrospection(await call("introspectionEndpoint", body));
    },
    async dpopProof({ method, url, token, nonce }) {
      return judgeProof(await call("proofEndpoint", { method, url, access_token: token, nonce }));
    },
  };
}

type Endpoint = "tokenEndpoint" | "exchangeEndpoint" | "introspectionEndpoint" | "proofEndpoint";

function variableOf(endpoint: Endpoint): string {
  return tokenApiVariables[endpoint === "proofEndpoint" ? "tokenEndpoint" : endpoint];
}

/** The secret that the token API wants of its callers, where there is one; read anew each time, since it may be changed. */
async function secretOf({ sharedSecretFile: path }: SdkSettings): Promise<string | undefined | NotObtained> {
  if (path === undefined) return undefined;
  return readSecret(path).catch((cause: unknown) =>
    failed("not_configured", `no secret can be read from ${tokenApiVariables.sharedSecretFile}`, { cause }),
  );
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(
  post: Post,
  url: string,
  body: object,
  { secret, timeoutSeconds }: { readonly secret: string | undefined; readonly timeoutSeconds: number },
): Promise<Answer | NotObtained> {
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const headers = {
    ...{ "content-type": "application/json", accept: "application/json" },
    ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
  };
  try {
    const sent = { headers, body: JSON.stringify(body), signal };
    // A connection that the token API has just closed, or a restart of it, costs a moment and not a failure.
    const response = await post(url, sent).catch(async (error: unknown) => {
      if (signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMillis));
      return post(url, sent);
    });
    return { status: response.status, body: await readJson(response, maxAnswerBytes) };
  } catch (cause) {
    if (cause instanceof Fault) return failed("bad_response", `the token API: ${cause.message}`, { cause });
    const message = signal.aborted ? `did not answer within ${timeoutSeconds} s` : "could not be reached";
    return failed("unreachable", `the token API ${message}`, { cause });
  }
}

/** A result that says why there is no token. */
export function failed(
  code: AcquireCode,
  message: string,
  more: { cause?: unknown; status?: number; hint?: string } = {},
): NotObtained {
  const { cause, ...rest } = more;
  return { ok: false, code, error: new Error(message, { cause }), ...rest };
}

function judgeToken(answer: Answer | NotObtained): TokenResult {
  if ("ok" in answer) return answer;
  const { status, body } = answer;
  if (status !== 200) return reported(answer);
  const { access_token: token, expires_in: expiresIn, token_type: type } = body;
  if (typeof token !== "string" || token === "" || typeof expiresIn !== "number") {
    return failed("bad_response", "the token API answered without access_token and expires_in");
  }
  // RFC 6749 section 5.1: the case of the type does not matter. RFC 9449 section 5: the type of bound tokens.
  const kind = typeof type === "string" ? type.toLowerCase() : undefined;
  if (kind === "bearer") return guarded({ ok: true, token, expiresIn });
  if (kind === "dpop") return guarded({ ok: true, token, expiresIn, tokenType: "DPoP" });
  return failed("bad_response", "the token API answered with a token of a type that is not known here");
}

function reported({ status, body }: Answer): NotObtained {
  const { error, error_description: description, hint } = body;
  if (typeof error !== "string")
    return failed("bad_response", `the token API answered HTTP ${status}`, { status });
  const message = typeof description === "string" ? `${error}: ${description}` : error;
  return failed(error, message, { status, ...(typeof hint === "string" && { hint }) });
}

function judgeIntrospection(answer: Answer | NotObtained): IntrospectionResult {
  if ("ok" in answer) return answer;
  if (answer.status !== 200) return reported(answer);
  const { active, ...payload } = answer.body;
  if (active === true) return { ok: true, active, payload };
  if (active !== false) return failed("bad_response", "the token API answered without active");
  const { error } = payload;
  return { ok: true, active, error: typeof error === "string" ? error : "the token is not active" };
}

function judgeProof(answer: Answer | NotObtained): ProofResult {
  if ("ok" in answer) return answer;
  if (answer.status !== 200) return reported(answer);
  const { proof } = answer.body;
  return typeof proof === "string" && proof !== ""
    ? { ok: true, proof }
    : failed("bad_response", "the token API answered without proof");
}

/** Writing the whole result into a header instead of its `token` fails at once, not at the receiver. */
export function guarded(result: Obtained): Obtained {
  return Object.defineProperty(result, "toString", {
    value: () => {
      throw new TypeError("this is the result of a token request, not the token: use its .token");
    },
  });
}

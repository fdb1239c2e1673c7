import { Fault, ReportedError } from "../errors.ts";
import { readJson } from "./answer.ts";
import type { ClientAuth } from "./client-auth.ts";

/** A successful answer of a token endpoint (RFC 6749 section 5.1, RFC 8693 section 2.2.1). */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope?: string;
  readonly issued_token_type?: string;
  readonly [member: string]: unknown;
}

export interface FormRequest {
  readonly endpoint: string;
  /** Undefined members are left out; a list repeats the parameter. */
  readonly params: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly auth: ClientAuth;
}

const defaultMaxBytes = 262_144;

/** Builds a request to a token endpoint, authenticated. Redirects are never followed. */
export function buildTokenRequest(options: FormRequest): Promise<Request> {
  return buildFormRequest(options);
}

/** Builds an authenticated form POST: token, pushed authorization, revocation and introspection requests. */
export async function buildFormRequest({ endpoint, params: given, auth }: FormRequest): Promise<Request> {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) params.append(name, one);
  }
  const headers = new Headers({
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded",
  });
  await auth({ params, headers });
  return new Request(endpoint, { method: "POST", headers, body: params.toString(), redirect: "manual" });
}

/**
 * Judges the answer of a token endpoint.
 *
 * Checks: size (default 256 KiB), status 200, `access_token` and `token_type` are strings, `expires_in` a number of seconds.
 * Does not check: the tokens themselves, `token_type` against what was asked for, `scope`.
 * Throws: ReportedError for an OAuth error, Fault `bad_response` or `too_large` for anything else.
 */
export async function judgeTokenResponse(
  response: Response,
  maxBytes: number = defaultMaxBytes,
): Promise<TokenResponse> {
  const body = await judgeJsonAnswer(response, maxBytes);
  const { access_token, token_type } = body;
  if (typeof access_token !== "string" || access_token === "" || typeof token_type !== "string") {
    throw new Fault("bad_response", "the answer has no access_token and token_type");
  }
  const expires = body["expires_in"];
  const { expires_in: _raw, ...rest } = body;
  const base = { ...rest, access_token, token_type };
  if (expires === undefined || expires === null) return base;
  const seconds = typeof expires === "string" ? Number(expires) : expires;
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds < 0) {
    throw new Fault("bad_response", "expires_in is not a number of seconds");
  }
  return { ...base, expires_in: seconds };
}

/**
 * Reads a JSON answer of an authenticated endpoint, status 200 or 201.
 *
 * Throws: ReportedError when it is an OAuth error (RFC 6749 section 5.2), Fault `bad_response` or `too_large` otherwise.
 */
export async function judgeJsonAnswer(
  response: Response,
  maxBytes: number,
): Promise<Record<string, unknown>> {
  const body = await readJson(response, maxBytes);
  if (response.status === 200 || response.status === 201) return body;
  const { error } = body;
  if (typeof error !== "string")
    throw new Fault("bad_response", `the server answered HTTP ${response.status}`);
  const retryAfter = response.headers.get("retry-after");
  const seconds = retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
  throw new ReportedError(response.status, { ...body, error }, seconds);
}

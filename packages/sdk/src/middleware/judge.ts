import type { Caller } from "../caller.ts";
import { listOf } from "../guards.ts";
import { processSdk } from "../process-sdk.ts";
import { getToken } from "../read.ts";
import { refused, validationErrors } from "../result.ts";
import type { Refused } from "../result.ts";
import type { Sdk } from "../sdk.ts";
import type { ValidateOptions } from "../validate.ts";

/** What a route requires, and how refusals are told. */
export interface RequireOptions extends ValidateOptions {
  /** Named in the challenge (RFC 9110 section 11.5). */
  readonly realm?: string;
  /** Address of this API's metadata, named in the challenge (RFC 9728 section 5.1). */
  readonly resourceMetadata?: string;
  /** Told of every refusal, for the application's log. Never holds the token. */
  readonly onRefused?: (refusal: Refused) => void;
  /** The SDK to validate with; left out: the one over the process's own environment. */
  readonly sdk?: Sdk;
}

/** A refusal as an HTTP answer. */
export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `application/problem+json` (RFC 9457). */
  readonly body: string;
}

export type Judgement =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly answer: RefusalAnswer };

/**
 * Judges a request by its `Authorization` header.
 *
 * *Checks*: one header with one bearer token (RFC 6750 section 2.1), `validateToken`, the guards. A token in the query or
 * the body is never looked at. *Throws*: nothing.
 */
export async function judgeRequest(
  authorization: string | undefined,
  options: RequireOptions,
): Promise<Judgement> {
  const sdk = options.sdk ?? processSdk();
  const token = bearerOf(authorization);
  const result = typeof token === "string" ? await sdk.validateToken(token, options) : token;
  if (result.ok) return { ok: true, caller: result.caller };
  options.onRefused?.(result);
  return { ok: false, answer: answerOf(result, options) };
}

function bearerOf(authorization: string | undefined): string | Refused {
  const header = authorization?.trim() ?? "";
  if (header === "") return refused("no_token", "the request has no Authorization header");
  const token = getToken({ headers: { authorization: header } });
  if (token !== null) return token;
  return /^bearer(\s|$)/i.test(header)
    ? refused("malformed_header", "the Authorization header is not Bearer and one token")
    : refused("no_token", "the Authorization header is of another scheme than Bearer");
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

function answerOf(refusal: Refused, options: RequireOptions): RefusalAnswer {
  const { status } = validationErrors[refusal.code];
  const challenge = challengeOf(refusal, options);
  // What is wrong with our own settings is for our log, not for the caller.
  const detail = status === 500 ? "this application cannot validate tokens" : refusal.error.message;
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(challenge !== undefined && { "www-authenticate": challenge }),
      ...(status === 503 && { "retry-after": "5" }),
    },
    body: JSON.stringify({ title: titles[status], status, detail, code: refusal.code }),
  };
}

/** The `WWW-Authenticate` challenge: RFC 6750 section 3, RFC 9470 section 3, RFC 9728 section 5.1. */
function challengeOf(refusal: Refused, options: RequireOptions): string | undefined {
  const { status, challenge: error } = validationErrors[refusal.code];
  if (status >= 500) return undefined;
  const parameters: readonly (readonly [string, string | undefined])[] = [
    ["realm", options.realm],
    ["error", error],
    ["error_description", error === undefined ? undefined : refusal.error.message],
    ["scope", refusal.code === "insufficient_scope" ? listOf(options.scope).join(" ") : undefined],
    ["acr_values", refusal.code === "insufficient_acr" ? listOf(options.acr).join(" ") : undefined],
    ["max_age", refusal.code === "stale_authentication" ? String(options.maxAgeSeconds) : undefined],
    ["resource_metadata", options.resourceMetadata],
  ];
  const written = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${clean(value)}"`],
  );
  return written.length === 0 ? "Bearer" : `Bearer ${written.join(", ")}`;
}

/** RFC 6750 section 3: printable ASCII without quotes and backslashes. */
function clean(value: string): string {
  return value
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .replaceAll(/["\\]/g, "'")
    .slice(0, 300);
}

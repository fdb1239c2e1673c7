import { signatureAlgorithms } from "@portvakt/oauth";
import type { Caller } from "../caller.ts";
import { listOf } from "../guards.ts";
import { processSdk } from "../process-sdk.ts";
import { getToken } from "../read.ts";
import { refused, validationErrors } from "../result.ts";
import type { ChallengeError, Refused } from "../result.ts";
import type { Sdk } from "../sdk.ts";
import type { ValidateOptions, ValidationResult } from "../validate.ts";
import type { DpopNonces } from "../verified/nonces.ts";
import type { PossessionProof } from "../verified/proof.ts";

/** What a route requires, and how refusals are told. */
export interface RequireOptions extends Omit<ValidateOptions, "proof"> {
  /** Named in the challenge (RFC 9110 section 11.5). */
  readonly realm?: string;
  /** Address of this API's metadata, named in the challenge (RFC 9728 section 5.1). */
  readonly resourceMetadata?: string;
  /**
   * Lets callers come with `Authorization: DPoP` and a proof (RFC 9449). `origin` is this application as clients reach it
   * (`https://api.example`): proofs are made for that address. Left out: tokens that are bound to a key are refused.
   */
  readonly dpop?: {
    readonly origin: string;
    /** Refuse plain bearer tokens. */
    readonly required?: boolean;
    /** Want a nonce in each proof (section 9), so that none can be made in advance: `dpopNonces(secret)`. */
    readonly nonces?: DpopNonces;
  };
  /**
   * Told of every refusal, for the application's log. Never holds the token. Nobody waits for it, and what it throws goes to
   * the console: a log that is broken changes no answer.
   */
  readonly onRefused?: (refusal: Refused) => unknown;
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

/** What is looked at of a request. */
export interface JudgedRequest {
  readonly authorization: string | undefined;
  /** The `DPoP` header; of several, all with commas between. */
  readonly dpop: string | undefined;
  readonly method: string | undefined;
  /** The path as it came, before any router took a part of it; a query may follow. */
  readonly path: string | undefined;
}

/**
 * Judges a request by its `Authorization` header.
 *
 * *Checks*: one header with one bearer token (RFC 6750 section 2.1) or, where allowed, one bound token and its proof (RFC 9449
 * section 7.1); `validateToken`; the guards. A token in the query or the body is never looked at. *Throws*: nothing; what is
 * thrown on the way, by whomever, is a refusal with status 500.
 */
export async function judgeRequest(request: JudgedRequest, options: RequireOptions): Promise<Judgement> {
  try {
    const sent = credentialsOf(request, options);
    const result = "token" in sent ? await validated(sent, options) : sent;
    return result.ok ? { ok: true, caller: result.caller } : await refusalOf(result, options);
  } catch (cause) {
    return refusalOf(refused("server_error", "the request could not be judged", cause), options);
  }
}

function validated({ token, proof }: Sent, options: RequireOptions): Promise<ValidationResult> {
  const sdk = options.sdk ?? processSdk();
  return sdk.validateToken(token, { ...options, ...(proof && { proof }) });
}

async function refusalOf(refusal: Refused, options: RequireOptions): Promise<Judgement> {
  const answer = await answerOf(refusal, options);
  const tell = async (): Promise<unknown> => options.onRefused?.(refusal);
  tell().catch((error: unknown) => console.error("requireToken: onRefused failed:", error));
  return { ok: false, answer };
}

interface Sent {
  readonly token: string;
  readonly proof?: PossessionProof;
}

function credentialsOf(request: JudgedRequest, { dpop }: RequireOptions): Sent | Refused {
  const header = request.authorization?.trim() ?? "";
  if (header === "") return refused("no_token", "the request has no Authorization header");
  if (dpop !== undefined && /^dpop(\s|$)/i.test(header)) return boundCredentials(header, request, dpop);
  if (dpop?.required === true) return refused("no_token", "this takes tokens that are bound to a key: DPoP");
  const token = getToken({ headers: { authorization: header } });
  if (token !== null) return { token };
  return /^bearer(\s|$)/i.test(header)
    ? refused("malformed_header", "the Authorization header is not Bearer and one token")
    : refused("no_token", "the Authorization header is of another scheme than Bearer");
}

/** RFC 9449 sections 4.3 and 7.1: one token, one proof. */
function boundCredentials(
  header: string,
  request: JudgedRequest,
  { origin, nonces }: NonNullable<RequireOptions["dpop"]>,
): Sent | Refused {
  const token = getToken({ headers: { authorization: header.replace(/^dpop/i, "Bearer") } });
  if (token === null)
    return refused("malformed_header", "the Authorization header is not DPoP and one token");
  const { dpop: proof, method, path } = request;
  if (proof === undefined || proof.includes(",") || method === undefined || path === undefined) {
    return refused("bad_proof", "the request has no DPoP header, or several");
  }
  const url = `${origin.replace(/\/+$/, "")}${path.replace(/[?#].*$/, "")}`;
  return { token, proof: { proof, method, url, ...(nonces && { nonces }) } };
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** RFC 9449 section 8.1. */
const wellFormedNonce = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

async function answerOf(refusal: Refused, options: RequireOptions): Promise<RefusalAnswer> {
  const { status, challenge: error } = validationErrors[refusal.code];
  const challenge = challengeOf(refusal, options);
  const nonce = error === "use_dpop_nonce" ? await options.dpop?.nonces?.issue() : undefined;
  if (nonce !== undefined && !wellFormedNonce.test(nonce))
    throw new TypeError("this is no nonce for a header");
  // What is wrong with our own settings is for our log, not for the caller.
  const detail = status === 500 ? "this application cannot validate tokens" : refusal.error.message;
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(challenge !== undefined && { "www-authenticate": challenge }),
      ...(nonce !== undefined && { "dpop-nonce": nonce }),
      ...(status === 503 && { "retry-after": "5" }),
    },
    body: JSON.stringify({ title: titles[status], status, detail, code: refusal.code }),
  };
}

/** The `WWW-Authenticate` challenges: RFC 6750 section 3, RFC 9470 section 3, RFC 9728 section 5.1, RFC 9449 sections 7.1 and 9. */
function challengeOf(refusal: Refused, options: RequireOptions): string | undefined {
  const { status, challenge: error } = validationErrors[refusal.code];
  if (status >= 500) return undefined;
  const { dpop } = options;
  const parameters = parametersOf(refusal, error, options);
  const algs: Parameters = [["algs", Object.keys(signatureAlgorithms).join(" ")]];
  if (dpop === undefined) return written("Bearer", parameters);
  if (dpop.required === true || error === "invalid_dpop_proof" || error === "use_dpop_nonce")
    return written("DPoP", [...parameters, ...algs]);
  return `${written("Bearer", parameters)}, ${written("DPoP", algs)}`;
}

type Parameters = readonly (readonly [string, string | undefined])[];

function parametersOf(
  refusal: Refused,
  error: ChallengeError | undefined,
  options: RequireOptions,
): Parameters {
  return [
    ["realm", options.realm],
    ["error", error],
    ["error_description", error === undefined ? undefined : refusal.error.message],
    ["scope", refusal.code === "insufficient_scope" ? listOf(options.scope).join(" ") : undefined],
    ["acr_values", refusal.code === "insufficient_acr" ? listOf(options.acr).join(" ") : undefined],
    ["max_age", refusal.code === "stale_authentication" ? String(options.maxAgeSeconds) : undefined],
    ["resource_metadata", options.resourceMetadata],
  ];
}

function written(scheme: string, parameters: Parameters): string {
  const given = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${clean(value)}"`],
  );
  return given.length === 0 ? scheme : `${scheme} ${given.join(", ")}`;
}

/** RFC 6750 section 3: printable ASCII without quotes and backslashes. */
function clean(value: string): string {
  return value
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .replaceAll(/["\\]/g, "'")
    .slice(0, 300);
}

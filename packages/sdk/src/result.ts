import { tokenRefusals } from "@portvakt/oauth";
import type { TokenRefusalCode } from "@portvakt/oauth";

/** What a resource server may say in `WWW-Authenticate`: RFC 6750 section 3.1, RFC 9470 section 3, RFC 9449 sections 7.1 and 9. */
export type ChallengeError =
  | "invalid_request"
  | "invalid_token"
  | "insufficient_scope"
  | "insufficient_user_authentication"
  | "invalid_dpop_proof"
  | "use_dpop_nonce";

interface ErrorRow {
  readonly status: number;
  readonly challenge?: ChallengeError;
}

const badToken: ErrorRow = { status: 401, challenge: "invalid_token" };

/** Every reason of the SDK's own to refuse a token, with the answer that it deserves. */
const ownErrors = {
  /** No credentials at all: RFC 6750 section 3.1 wants a challenge without an error. */
  no_token: { status: 401 },
  malformed_header: { status: 400, challenge: "invalid_request" },
  not_an_access_token: badToken,
  sender_constrained: badToken,
  /** RFC 9449 section 7.1. */
  bad_proof: { status: 401, challenge: "invalid_dpop_proof" },
  /** RFC 9449 section 9. */
  no_nonce: { status: 401, challenge: "use_dpop_nonce" },
  too_many_proofs: { status: 503 },
  insufficient_scope: { status: 403, challenge: "insufficient_scope" },
  insufficient_acr: { status: 401, challenge: "insufficient_user_authentication" },
  stale_authentication: { status: 401, challenge: "insufficient_user_authentication" },
  missing_role: { status: 403, challenge: "insufficient_scope" },
  missing_group: { status: 403, challenge: "insufficient_scope" },
  wrong_kind: { status: 403, challenge: "insufficient_scope" },
  wrong_caller: { status: 403, challenge: "insufficient_scope" },
  keys_unavailable: { status: 503 },
  not_configured: { status: 500 },
  /** A fault of the SDK's or the application's own, which `error.cause` tells: whoever cannot be judged is refused. */
  server_error: { status: 500 },
} as const satisfies Record<string, ErrorRow>;

/** Why a token was not accepted. */
export type ValidationCode = keyof typeof ownErrors | TokenRefusalCode;

/** Every code with its HTTP status and challenge. */
export const validationErrors: Readonly<Record<ValidationCode, ErrorRow>> = {
  ...(Object.fromEntries(Object.keys(tokenRefusals).map((code) => [code, badToken])) as Record<
    TokenRefusalCode,
    ErrorRow
  >),
  ...ownErrors,
};

/** A refused token. `error.message` is fit for people and logs: it never holds the token. */
export interface Refused<Code extends string = ValidationCode> {
  readonly ok: false;
  readonly code: Code;
  readonly error: Error;
  readonly errorType: "token expired" | "unknown";
}

/** Makes a refusal. */
export function refused<Code extends string>(code: Code, message: string, cause?: unknown): Refused<Code> {
  return {
    ok: false,
    code,
    error: new Error(message, cause === undefined ? undefined : { cause }),
    errorType: code === "expired" ? "token expired" : "unknown",
  };
}

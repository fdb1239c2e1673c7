import { ProtocolError, type ProtocolErrorCode, type TokenRefusalCode } from "@portvakt/oauth";

interface Row {
  readonly error: ProtocolErrorCode;
  readonly status: 400 | 401 | 403;
  readonly text: string;
}

/** Maskinporten's codes, with the OAuth error and HTTP status that go with each. */
const maskinportenErrors = {
  "MP-011": { error: "invalid_grant", status: 400, text: "Invalid parameter value" },
  "MP-012": { error: "invalid_grant", status: 400, text: "The grant has been used before" },
  "MP-100": {
    error: "invalid_client",
    status: 401,
    text: "Client authentication failed, or the client was not found",
  },
  "MP-110": { error: "invalid_grant", status: 400, text: "Invalid audience" },
  "MP-120": { error: "invalid_client", status: 401, text: "Invalid certificate" },
  "MP-121": {
    error: "invalid_client",
    status: 401,
    text: "The key has expired or is not registered on the client",
  },
  "MP-122": {
    error: "invalid_client",
    status: 401,
    text: "The certificate's organisation number is not the client's",
  },
  "MP-123": { error: "invalid_client", status: 401, text: "Invalid x5c" },
  "MP-124": { error: "invalid_grant", status: 400, text: "Invalid signature" },
  "MP-130": { error: "invalid_grant", status: 400, text: "The JWT has expired" },
  "MP-200": { error: "invalid_scope", status: 400, text: "The scopes are not registered on the client" },
  "MP-201": {
    error: "invalid_scope",
    status: 400,
    text: "The scope is not allowed for this kind of integration",
  },
  "MP-250": { error: "invalid_scope", status: 403, text: "The consumer has no access to the scope" },
  "MP-251": {
    error: "access_denied",
    status: 403,
    text: "The consumer has not delegated access to the supplier in Altinn",
  },
  "MP-301": {
    error: "invalid_authorization_details",
    status: 400,
    text: "Unknown authorization_details type",
  },
  "MP-302": {
    error: "invalid_authorization_details",
    status: 400,
    text: "Unknown fields in authorization_details",
  },
  "MP-303": {
    error: "invalid_authorization_details",
    status: 400,
    text: "Invalid values in authorization_details",
  },
} as const satisfies Record<string, Row>;
export type MaskinportenCode = keyof typeof maskinportenErrors;

/** A refusal in Maskinporten's words: the text, what exactly, and the code. */
export function maskinportenError(code: MaskinportenCode, detail?: string, cause?: unknown): ProtocolError {
  const { error, status, text } = maskinportenErrors[code];
  return new ProtocolError(error, `${text}${detail === undefined ? "" : `: ${detail}`} (${code})`, {
    status,
    cause,
  });
}

const byRefusal: Partial<Record<TokenRefusalCode, MaskinportenCode>> = {
  wrong_issuer: "MP-100",
  unknown_key: "MP-121",
  keys_unavailable: "MP-121",
  bad_signature: "MP-124",
  alg_not_allowed: "MP-011",
  wrong_audience: "MP-110",
  expired: "MP-130",
};

/** The code for what verifying the grant found. */
export function refusedGrant(refusal: { code: TokenRefusalCode; message: string }): ProtocolError {
  if (refusal.code === "issued_in_future" || refusal.code === "not_yet_valid")
    return new ProtocolError("invalid_grant", "Invalid assertion. Issue time is after now", {
      cause: refusal,
    });
  return maskinportenError(byRefusal[refusal.code] ?? "MP-011", refusal.message, refusal);
}

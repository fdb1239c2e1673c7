/**
 * What may be said over the wire, by error code, with the HTTP status of a direct answer. Authorization endpoints
 * redirect with the same codes. A resource server's codes (RFC 6750, RFC 9470) carry their own status.
 */
export const protocolErrors = {
  // RFC 6749 section 5.2
  invalid_request: { status: 400 },
  invalid_client: { status: 401 },
  invalid_grant: { status: 400 },
  unauthorized_client: { status: 400 },
  unsupported_grant_type: { status: 400 },
  invalid_scope: { status: 400 },
  // RFC 8693 section 2.2.2 and RFC 8707 section 2
  invalid_target: { status: 400 },
  // RFC 6749 section 4.1.2.1
  access_denied: { status: 403 },
  unsupported_response_type: { status: 400 },
  server_error: { status: 500 },
  temporarily_unavailable: { status: 503 },
  // OpenID Connect Core section 3.1.2.6
  interaction_required: { status: 400 },
  login_required: { status: 400 },
  account_selection_required: { status: 400 },
  consent_required: { status: 400 },
  invalid_request_uri: { status: 400 },
  invalid_request_object: { status: 400 },
  request_not_supported: { status: 400 },
  request_uri_not_supported: { status: 400 },
  registration_not_supported: { status: 400 },
  // RFC 6750 section 3.1 and RFC 9470 section 3
  invalid_token: { status: 401 },
  insufficient_scope: { status: 403 },
  insufficient_user_authentication: { status: 401 },
  // RFC 7009 section 2.2.1
  unsupported_token_type: { status: 400 },
  // RFC 7591 section 3.2.2
  invalid_redirect_uri: { status: 400 },
  invalid_client_metadata: { status: 400 },
  invalid_software_statement: { status: 400 },
  unapproved_software_statement: { status: 400 },
  // RFC 9396 section 5
  invalid_authorization_details: { status: 400 },
  // RFC 9449 sections 5 and 8
  invalid_dpop_proof: { status: 400 },
  use_dpop_nonce: { status: 400 },
} as const satisfies Record<string, { status: number }>;

export type ProtocolErrorCode = keyof typeof protocolErrors;

/** A refusal that the other side is told of. Nothing secret goes into `description` or `members`. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly error: ProtocolErrorCode;
  readonly description: string;
  readonly status: number;
  /** Further members of the body, such as `decision_id`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    error: ProtocolErrorCode,
    description: string,
    options: { status?: number; cause?: unknown; members?: Record<string, unknown> } = {},
  ) {
    super(`${error}: ${description}`, { cause: options.cause });
    this.error = error;
    this.description = description;
    this.status = options.status ?? protocolErrors[error].status;
    this.members = Object.freeze({ ...options.members });
  }

  /** The JSON body of RFC 6749 section 5.2. */
  toBody(): Record<string, unknown> {
    return { error: this.error, error_description: this.description, ...this.members };
  }
}

/** Faults by code: trouble of ours or of a peer, for logs. They never cross the wire. */
export const faults = {
  /** A peer did not answer in time, or the connection failed. */
  unreachable: {},
  /** A peer answered with something that its protocol does not allow. */
  bad_response: {},
  /** A peer's answer was larger than we accept. */
  too_large: {},
  /** A key that we were given cannot be used. */
  bad_key: {},
  /** Metadata names another issuer than the one that we expected (RFC 8414 section 3.3). */
  issuer_mismatch: {},
} as const;

export type FaultCode = keyof typeof faults;

export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** An OAuth error that another server reported to us (RFC 6749 section 5.2), as it came. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";
  readonly status: number;
  readonly error: string;
  readonly description: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** Seconds, when the answer had a `Retry-After` in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, body: Record<string, unknown> & { error: string }, retryAfterSeconds?: number) {
    super(`the server reported ${body.error} (HTTP ${status})`);
    this.status = status;
    this.error = body.error;
    this.description = typeof body["error_description"] === "string" ? body["error_description"] : undefined;
    this.body = Object.freeze({ ...body });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

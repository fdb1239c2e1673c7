import { randomUUID } from "node:crypto";
import { ProtocolError, type ProtocolErrorCode } from "@portvakt/oauth";
import { ClientRefused, type AssertionRefusal } from "@portvakt/issuer";

interface Row {
  readonly error: string;
  readonly status: 400 | 401 | 403 | 404 | 405 | 500;
}

/** The codes of Entra ID that the stand-in speaks, with the OAuth error and HTTP status that go with each. */
const aadsts = {
  16000: { error: "interaction_required", status: 400 },
  28000: { error: "invalid_request", status: 400 },
  50011: { error: "invalid_request", status: 400 },
  50013: { error: "invalid_grant", status: 400 },
  50020: { error: "invalid_request", status: 400 },
  50058: { error: "login_required", status: 400 },
  50105: { error: "invalid_grant", status: 400 },
  50148: { error: "invalid_grant", status: 400 },
  54005: { error: "invalid_grant", status: 400 },
  65001: { error: "invalid_grant", status: 400 },
  65004: { error: "access_denied", status: 403 },
  70000: { error: "invalid_grant", status: 400 },
  70003: { error: "unsupported_grant_type", status: 400 },
  70008: { error: "invalid_grant", status: 400 },
  70011: { error: "invalid_scope", status: 400 },
  70012: { error: "server_error", status: 500 },
  90002: { error: "invalid_request", status: 400 },
  240002: { error: "invalid_grant", status: 400 },
  500011: { error: "invalid_resource", status: 400 },
  500131: { error: "invalid_grant", status: 400 },
  500133: { error: "invalid_grant", status: 400 },
  501051: { error: "invalid_grant", status: 400 },
  501481: { error: "invalid_grant", status: 400 },
  700016: { error: "unauthorized_client", status: 400 },
  700021: { error: "invalid_client", status: 401 },
  700023: { error: "invalid_client", status: 401 },
  700024: { error: "invalid_client", status: 401 },
  700027: { error: "invalid_client", status: 401 },
  700211: { error: "invalid_client", status: 401 },
  700212: { error: "invalid_client", status: 401 },
  700213: { error: "invalid_client", status: 401 },
  900144: { error: "invalid_request", status: 400 },
  1002012: { error: "invalid_scope", status: 400 },
  7000112: { error: "unauthorized_client", status: 400 },
  7000114: { error: "invalid_grant", status: 400 },
  7000215: { error: "invalid_client", status: 401 },
  7000218: { error: "invalid_client", status: 401 },
  9000411: { error: "invalid_request", status: 400 },
  9002313: { error: "invalid_request", status: 400 },
} as const satisfies Record<number, Row>;
export type AadstsCode = keyof typeof aadsts;

/** The codes' OAuth errors that are none of OAuth's own; the pipeline carries the nearest that is. */
const nearest: Readonly<Record<string, ProtocolErrorCode>> = { invalid_resource: "invalid_target" };

/** A refusal in Entra ID's words. `text` is what follows the code. */
export function entraError(code: AadstsCode, text: string, cause?: unknown): ProtocolError {
  const { error, status }: Row = aadsts[code];
  return new ProtocolError(nearest[error] ?? (error as ProtocolErrorCode), `AADSTS${code}: ${text}`, {
    status,
    cause,
    members: { error, error_codes: [code] },
  });
}

/** The error body of Entra ID: description with trace and time, codes, and a link that explains them. */
export function writeEntraError(error: ProtocolError, request: Request, at: number, base: string): Response {
  const worded = inEntraWords(error);
  const [code] = worded.members["error_codes"] as readonly number[];
  const traceId = randomUUID();
  const asked = request.headers.get("client-request-id") ?? "";
  const correlationId = /^[0-9a-f-]{36}$/i.test(asked) ? asked : randomUUID();
  const timestamp = new Date(at * 1000)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
  const body = {
    error: worded.members["error"],
    error_description: `${worded.description} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${base}/error?code=${code}`,
    ...(error.members["decision_id"] === undefined ? {} : { decision_id: error.members["decision_id"] }),
  };
  return Response.json(body, { status: worded.status, headers: { "cache-control": "no-store" } });
}

/** Any refusal, as Entra ID words it: the pipeline's plain ones are translated here, and nowhere else. */
export function inEntraWords(error: ProtocolError): ProtocolError {
  if (error.members["error_codes"] !== undefined) return error;
  if (error instanceof ClientRefused) return clientRefusal(error);
  if (isDecision(error.cause)) return denial(error.cause);
  const [, parameter, trouble] = /^parameter (\S+) is (missing|repeated)/.exec(error.description) ?? [];
  if (trouble === "missing")
    return entraError(900144, `The request body must contain the following parameter: '${parameter}'.`);
  if (trouble === "repeated")
    return entraError(
      9000411,
      `The request is not properly formatted. The parameter '${parameter}' is duplicated.`,
    );
  if (error.error === "unsupported_grant_type")
    return entraError(70003, "The app requested an unsupported grant type.");
  if (error.status >= 500)
    return entraError(70012, "A server error occurred. Retry the request.", error.cause);
  return entraError(9002313, `Invalid request. Request is malformed or invalid. ${error.description}`);
}

function clientRefusal(refused: ClientRefused): ProtocolError {
  const id = refused.claimedId ?? "";
  const { assertion } = refused;
  if (refused.code === "unknown_client" || assertion?.code === "unknown_client")
    return unknownApplication(id);
  if (assertion !== undefined) return assertionRefusal(assertion, id);
  if (refused.code === "wrong_secret" || refused.code === "malformed_credentials")
    return entraError(
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${id}'.`,
    );
  return entraError(
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  );
}

/** AADSTS700016, for the token endpoint and the sign-in page alike. */
export function unknownApplication(id: string): ProtocolError {
  return entraError(
    700016,
    `Application with identifier '${id.slice(0, 64)}' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  );
}

function assertionRefusal(assertion: AssertionRefusal, id: string): ProtocolError {
  const { code, detail } = assertion;
  if (code === "issuer_is_not_subject")
    return entraError(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
  if (code === "audience_not_sole" || detail === "wrong_audience")
    return entraError(700023, "Client assertion audience claim does not match Realm issuer.");
  if (
    detail === "expired" ||
    detail === "not_yet_valid" ||
    detail === "issued_in_future" ||
    code === "lives_too_long"
  )
    return entraError(700024, "Client assertion is not within its valid time range.");
  return entraError(
    700027,
    `The certificate with identifier used to sign the client assertion is not registered on application '${id}'. [Reason - ${assertion.message}.]`,
  );
}

interface DecisionLike {
  readonly actor: string;
  readonly target: string;
  readonly grant: string;
}

function isDecision(value: unknown): value is DecisionLike {
  return (
    typeof value === "object" && value !== null && "actor" in value && "target" in value && "grant" in value
  );
}

/** What an application meets that the target's access policy does not admit. */
function denial(decision: DecisionLike): ProtocolError {
  if (decision.grant === "client_credentials")
    return entraError(
      501051,
      `Application '${decision.actor}' is not assigned to a role for the application '${decision.target}'.`,
      decision,
    );
  return entraError(
    65001,
    `The user or administrator has not consented to use the application named '${decision.actor}' for '${decision.target}'. Send an interactive authorization request for this user and resource.`,
    decision,
  );
}

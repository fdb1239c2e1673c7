import { ClientRefused, writeProtocolError } from "@portvakt/issuer";
import type { AssertionRefusalCode } from "@portvakt/issuer";
import { ProtocolError } from "@portvakt/oauth";

/**
 * Writes errors with the codes of the server that TokenX takes the place of, where those stray from the RFCs: clients that
 * compare codes go on working. Descriptions and statuses that nobody compares stay ours.
 */
export function writeCompatError(error: ProtocolError, request: Request): Response {
  return writeProtocolError(translate(error), request);
}

/** What that server found out while it verified an assertion. An unknown client, or too long a life, was invalid_client there too. */
const verificationFailures: ReadonlySet<AssertionRefusalCode> = new Set([
  "malformed",
  "issuer_is_not_subject",
  "unverified",
  "audience_not_sole",
  "no_jti",
]);

function translate(error: ProtocolError): ProtocolError {
  const { members, cause } = error;
  if (error.error === "invalid_target")
    return new ProtocolError("invalid_request", error.description, { members, cause });
  if (error.error === "unsupported_grant_type")
    return new ProtocolError("access_denied", error.description, { status: 403, members, cause });
  if (!(error instanceof ClientRefused)) return error;
  if (error.code === "no_credentials")
    return new ProtocolError("invalid_request", "Parameter client_assertion missing", { members, cause });
  const code = error.assertion?.code;
  if (code === undefined || !verificationFailures.has(code)) return error;
  return new ProtocolError("invalid_request", `token verification failed: ${error.description}`, {
    members,
    cause,
  });
}

import { ClientRefused, writeProtocolError } from "@portvakt/issuer";
import { ProtocolError } from "@portvakt/oauth";

/**
 * Writes errors with the codes of the server that TokenX takes the place of, where those stray from the RFCs: clients that
 * compare codes go on working. Descriptions and statuses that nobody compares stay ours.
 */
export function writeCompatError(error: ProtocolError, request: Request): Response {
  return writeProtocolError(translate(error), request);
}

function translate(error: ProtocolError): ProtocolError {
  const { members, cause } = error;
  if (error.error === "invalid_target")
    return new ProtocolError("invalid_request", error.description, { members, cause });
  if (error.error === "unsupported_grant_type")
    return new ProtocolError("access_denied", error.description, { status: 403, members, cause });
  const detail = error instanceof ClientRefused ? error.assertion?.code : undefined;
  if (detail === "unverified" || detail === "malformed" || detail === "audience_not_sole")
    return new ProtocolError("invalid_request", `token verification failed: ${error.description}`, {
      members,
      cause,
    });
  return error;
}

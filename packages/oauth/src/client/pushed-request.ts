import { Fault } from "../errors.ts";
import { buildFormRequest, judgeJsonAnswer, type FormRequest } from "./token-request.ts";

/** Builds a pushed authorization request (RFC 9126 section 2.1). */
export function buildPushedRequest(options: FormRequest): Promise<Request> {
  if ("request_uri" in options.params) throw new TypeError("request_uri is not allowed in a pushed request");
  return buildFormRequest(options);
}

/**
 * Judges the answer to a pushed authorization request (RFC 9126 section 2.2).
 *
 * Checks: status 201 (200 tolerated), `request_uri` is a string, `expires_in` a positive number of seconds.
 * Throws: ReportedError, Fault `bad_response` or `too_large`.
 */
export async function judgePushedResponse(
  response: Response,
): Promise<{ request_uri: string; expires_in: number }> {
  const body = await judgeJsonAnswer(response, 65_536);
  const { request_uri, expires_in } = body;
  if (
    typeof request_uri !== "string" ||
    request_uri === "" ||
    typeof expires_in !== "number" ||
    expires_in <= 0
  ) {
    throw new Fault("bad_response", "the answer has no request_uri and expires_in");
  }
  return { request_uri, expires_in };
}

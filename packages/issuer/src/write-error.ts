import { ProtocolError } from "@portvakt/oauth";
import { Throttled } from "./throttle.ts";

/** RFC 6749 section 5.1 for answers with tokens, and by the examples of section 5.2 for errors too. */
export const noStore = { "cache-control": "no-store", pragma: "no-cache" };

/** An answer in JSON. Plain headers and a text: the way from here to the socket that copies nothing. */
export function writeJson(body: object, status = 200): Response {
  const headers = { "content-type": "application/json", ...noStore };
  return new Response(JSON.stringify(body), { status, headers });
}

/** Nothing of an unexpected throw reaches the wire. */
export function toProtocolError(thrown: unknown): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown;
  return new ProtocolError("server_error", "the request could not be served", { status: 500, cause: thrown });
}

/** Writes an error as RFC 6749 section 5.2 says; invalid_client after a Basic attempt carries its challenge. */
export function writeProtocolError(error: ProtocolError, request: Request): Response {
  const headers = new Headers(noStore);
  if (error.error === "invalid_client" && /^basic\b/i.test(request.headers.get("authorization") ?? ""))
    headers.set("www-authenticate", 'Basic realm="token", charset="UTF-8"');
  // RFC 9110 section 15.5.6.
  if (error.status === 405) headers.set("allow", "POST");
  if (error instanceof Throttled) headers.set("retry-after", String(error.retryAfterSeconds));
  return Response.json(error.toBody(), { status: error.status, headers });
}

/** Writes an error in a server's own way, and keeps it out of caches whatever that way is. */
export function writeUncached(
  error: ProtocolError,
  request: Request,
  write: (error: ProtocolError, request: Request) => Response = writeProtocolError,
): Response {
  const response = write(error, request);
  for (const [name, value] of Object.entries(noStore)) response.headers.set(name, value);
  return response;
}

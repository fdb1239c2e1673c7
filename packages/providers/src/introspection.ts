import { buildTokenRequest, Fault, type ClientAuth, type JwtClaims } from "@portvakt/oauth";

export type IntrospectionAnswer =
  | { readonly active: true; readonly claims: JwtClaims }
  | { readonly active: false };

/** Asks the provider about a by-reference token (RFC 7662 section 2.1). */
export function buildIntrospectionRequest(o: {
  endpoint: string;
  token: string;
  auth: ClientAuth;
}): Promise<Request> {
  return buildTokenRequest({
    endpoint: o.endpoint,
    params: { token: o.token, token_type_hint: "access_token" },
    auth: o.auth,
  });
}

/**
 * Judges the provider's answer (RFC 7662 section 2.2).
 *
 * Checks: status 200, size, that it is a JSON object with a boolean `active`.
 * Does not check: issuer, audience, times: the caller judges the claims by its own rules.
 * Throws: Fault `bad_response` or `too_large`.
 */
export async function judgeIntrospectionResponse(
  response: Response,
  maxBytes: number = 65_536,
): Promise<IntrospectionAnswer> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Fault("bad_response", `the provider's introspection answered HTTP ${response.status}`);
  }
  const body = await readObject(response, maxBytes);
  const { active, ...claims } = body;
  if (typeof active !== "boolean") {
    throw new Fault("bad_response", "the provider's introspection did not say whether the token is active");
  }
  return active ? { active, claims } : { active };
}

async function readObject(response: Response, maxBytes: number): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Fault("too_large", `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const text = await new Blob(chunks as BlobPart[]).text();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new Fault("bad_response", "the provider's introspection did not answer with JSON", { cause });
  }
  throw new Fault("bad_response", "the provider's introspection did not answer with a JSON object");
}

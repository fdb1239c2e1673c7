import { buildFormRequest, Fault, readJson, type ClientAuth, type JwtClaims } from "@portvakt/oauth";

export type IntrospectionAnswer =
  | { readonly active: true; readonly claims: JwtClaims }
  | { readonly active: false };

/** The provider does not take the question (RFC 7662 section 2.3). That says nothing about the token, and is no outage. */
export class IntrospectionRefused extends Error {
  override readonly name = "IntrospectionRefused";
  readonly status: number;
  constructor(status: number) {
    super(`the provider's introspection answered HTTP ${status}`);
    this.status = status;
  }
}

/** Refusals that say "not now": request timeout, too early, too many requests. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** Asks the provider about a by-reference token (RFC 7662 section 2.1). */
export function buildIntrospectionRequest(o: {
  readonly endpoint: string;
  readonly token: string;
  readonly auth: ClientAuth;
}): Promise<Request> {
  return buildFormRequest({
    endpoint: o.endpoint,
    params: { token: o.token, token_type_hint: "access_token" },
    auth: o.auth,
  });
}

/**
 * Judges the provider's answer (RFC 7662 section 2.2).
 *
 * Checks: status, size, that it is a JSON object with a boolean `active`.
 * Does not check: issuer, audience, times: the caller judges the claims by its own rules.
 * Throws: IntrospectionRefused; Fault `bad_response` or `too_large`: the provider is in trouble, or wants to be left alone.
 */
export async function judgeIntrospectionResponse(
  response: Response,
  maxBytes: number = 65_536,
): Promise<IntrospectionAnswer> {
  if (response.status !== 200) {
    await response.body?.cancel();
    const { status } = response;
    if (status >= 400 && status < 500 && !passingStatuses.has(status)) throw new IntrospectionRefused(status);
    throw new Fault("bad_response", `the provider's introspection answered HTTP ${response.status}`);
  }
  const { active, ...claims } = await readJson(response, maxBytes);
  if (typeof active !== "boolean") {
    throw new Fault("bad_response", "the provider's introspection did not say whether the token is active");
  }
  return active ? { active, claims } : { active };
}

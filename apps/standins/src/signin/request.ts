import { parseForm, ProtocolError, verifyJwt, type FormParams } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import type { AuthorizationRequest, ResponseMode, SigninClient, SigninProvider } from "./provider.ts";

const responseModes: ReadonlySet<string> = new Set(["query", "fragment", "form_post"]);

/**
 * Reads an authorization request as far as it must be read before anything may be redirected.
 *
 * Checks: a pushed request's reference and its client (RFC 9126 section 4), a request object's signature (RFC 9101
 * section 6), that the client is registered and the redirect URI is one of its own, letter by letter (RFC 9700 section
 * 2.1). Does not check: anything that can be told to the client; `judgeRequest` does.
 * Throws: ProtocolError, for the error page.
 */
export async function readRequest(provider: SigninProvider, visit: Visit): Promise<AuthorizationRequest> {
  const outer = visit.params;
  const clientId = outer.one("client_id");
  if (clientId === undefined) throw provider.unredirectable("other", "client_id", visit);
  const client = provider.findClient(clientId, visit);
  if (client === undefined) throw provider.unredirectable("unknown_client", clientId, visit);
  const params = await expand(provider, client, outer, visit);
  return requestOf(provider, client, params, visit);
}

/** The request of parameters that stand for themselves: in the query, pushed, or in a request object. */
export function requestOf(
  provider: SigninProvider,
  client: SigninClient,
  params: FormParams,
  visit: Visit,
): AuthorizationRequest {
  const redirectUri = params.one("redirect_uri");
  if (redirectUri === undefined || !client.redirectUris.includes(redirectUri))
    throw provider.unredirectable("redirect_uri", redirectUri ?? "", visit);
  const mode = params.one("response_mode");
  const maxAge = params.one("max_age");
  return Object.freeze({
    client,
    redirectUri,
    responseMode: mode !== undefined && responseModes.has(mode) ? (mode as ResponseMode) : "query",
    state: params.one("state"),
    nonce: params.one("nonce"),
    scope: words(params.one("scope")),
    resource: params.all("resource"),
    challenge: params.one("code_challenge"),
    prompt: words(params.one("prompt")),
    maxAgeSeconds: maxAge !== undefined && /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined,
    loginHint: params.one("login_hint"),
    uiLocales: words(params.one("ui_locales")),
    params,
    visit,
  });
}

/**
 * Judges what every provider asks of a request.
 *
 * Checks: response_type, response_mode, S256 and its form (RFC 7636 section 4.3), `openid`, that `prompt=none` stands
 * alone, max_age; then the provider's own rules. Throws: ProtocolError, which is sent to the redirect URI.
 */
export function judgeRequest(provider: SigninProvider, request: AuthorizationRequest): void {
  const { params, challenge, prompt } = request;
  const bad = (description: string): ProtocolError => new ProtocolError("invalid_request", description);
  if (params.one("response_type") === undefined) throw bad("parameter response_type is missing");
  if (params.one("response_type") !== "code")
    throw new ProtocolError("unsupported_response_type", "only response_type code is served");
  const mode = params.one("response_mode");
  if (mode !== undefined && !responseModes.has(mode)) throw bad("response_mode is not one that is served");
  if (!request.scope.includes("openid"))
    throw new ProtocolError("invalid_scope", "scope must contain openid");
  const method = params.one("code_challenge_method");
  if (challenge !== undefined && method !== "S256") throw bad("code_challenge_method must be S256");
  if (challenge !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(challenge))
    throw bad("code_challenge must be a SHA-256 in base64url without padding");
  if (prompt.includes("none") && prompt.length > 1) throw bad("prompt=none must stand alone");
  if (params.one("max_age") !== undefined && request.maxAgeSeconds === undefined)
    throw bad("max_age must be a number of seconds");
  provider.judge(request);
}

async function expand(
  provider: SigninProvider,
  client: SigninClient,
  outer: FormParams,
  visit: Visit,
): Promise<FormParams> {
  const reference = outer.one("request_uri");
  if (reference !== undefined) return takePushed(provider, client, outer, reference, visit);
  const object = outer.one("request");
  return object === undefined ? outer : openRequestObject(provider, client, object, visit);
}

function takePushed(
  provider: SigninProvider,
  client: SigninClient,
  outer: FormParams,
  reference: string,
  visit: Visit,
): FormParams {
  const pushed = provider.pushed.get(reference);
  if (pushed === undefined || pushed.clientId !== client.id)
    throw provider.unredirectable(
      "other",
      "request_uri is unknown, has expired, or belongs to another client",
      visit,
    );
  const repeated = outer.names().find((name) => name !== "request_uri" && name !== "client_id");
  if (repeated !== undefined)
    throw provider.unredirectable("other", `${repeated} must not stand beside request_uri`, visit);
  // RFC 9126 section 7.3: for one use.
  provider.pushed.delete(reference);
  return pushed.params;
}

/** RFC 9101: a request object by value. Parameters outside of it do not count. */
export async function openRequestObject(
  provider: SigninProvider,
  client: SigninClient,
  object: string,
  visit: Visit,
): Promise<FormParams> {
  const refuse = (detail: string): ProtocolError =>
    new ProtocolError("invalid_request_object", detail, { status: 400 });
  if (client.keys === undefined) throw refuse("the client has no registered keys");
  const result = await verifyJwt(
    object,
    {
      issuer: client.id,
      audience: provider.issuer(visit),
      keys: client.keys,
      algorithms: ["RS256", "RS384", "RS512", "PS256", "ES256"],
      typ: ["", "jwt", "oauth-authz-req+jwt"],
      required: ["iss", "aud", "exp", "client_id"],
    },
    provider.now,
  );
  if (!result.ok) throw refuse(result.refusal.message);
  const { claims } = result.token;
  if (claims["client_id"] !== client.id) throw refuse("client_id in the request object is another client");
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(claims)) {
    const values = Array.isArray(value) ? value : [value];
    for (const one of values)
      if (typeof one === "string" || typeof one === "number") form.append(name, String(one));
  }
  return parseForm(form, { repeatable: ["resource", "aud"] });
}

function words(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(" ").filter((word) => word !== "");
}

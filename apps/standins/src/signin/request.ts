import { parseForm, printable, ProtocolError, verifyJwt, type FormParams } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import { parseClaimsRequest, type ClaimsRequest } from "./claims-request.ts";
import { openHint } from "./hint.ts";
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
  const twice = decisive.find((name) => outer.all(name).length > 1);
  if (clientId === undefined || twice !== undefined)
    throw provider.unredirectable("other", twice ?? "client_id", visit);
  const client = provider.findClient(clientId, visit);
  if (client === undefined) throw provider.unredirectable("unknown_client", clientId, visit);
  const { params, flaw } = await expand(provider, client, outer, visit);
  return requestOf(provider, client, params, visit, flaw);
}

/** Parameters that decide where an answer goes: twice, and nobody knows. */
const decisive = ["client_id", "redirect_uri", "request", "request_uri"];

/** The request of parameters that stand for themselves: in the query, pushed, or in a request object. */
export async function requestOf(
  provider: SigninProvider,
  client: SigninClient,
  params: FormParams,
  visit: Visit,
  flaw?: ProtocolError,
): Promise<AuthorizationRequest> {
  const redirectUri = params.one("redirect_uri");
  if (redirectUri === undefined || !client.redirectUris.includes(redirectUri))
    throw flaw ?? provider.unredirectable("redirect_uri", redirectUri ?? "", visit);
  const maxAge = params.one("max_age");
  const wished = await wishes(provider, params, visit);
  const found = flaw ?? wished.flaw;
  return Object.freeze({
    client,
    redirectUri,
    responseMode: responseMode(params),
    state: params.one("state"),
    nonce: params.one("nonce"),
    scope: words(params.one("scope")),
    resource: params.all("resource"),
    challenge: params.one("code_challenge"),
    prompt: words(params.one("prompt")),
    maxAgeSeconds: maxAge !== undefined && /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined,
    loginHint: params.one("login_hint"),
    uiLocales: words(params.one("ui_locales")),
    subject: wished.subject,
    claims: wished.claims,
    flaw: found,
    params,
    visit,
  });
}

/** As asked for; else the usual one of the response type (OAuth 2.0 Multiple Response Types section 2.1 and 5). */
function responseMode(params: FormParams): ResponseMode {
  const mode = params.one("response_mode");
  if (mode !== undefined && responseModes.has(mode)) return mode as ResponseMode;
  const types = words(params.one("response_type"));
  return types.includes("token") || types.includes("id_token") ? "fragment" : "query";
}

interface Wishes {
  readonly subject: string | undefined;
  readonly claims: ClaimsRequest;
  readonly flaw: ProtocolError | undefined;
}

/** Whom and what the client expects: id_token_hint, and the `claims` parameter (OpenID Connect Core sections 3.1.2.1, 5.5). */
async function wishes(provider: SigninProvider, params: FormParams, visit: Visit): Promise<Wishes> {
  const hint = params.one("id_token_hint");
  const hinted =
    hint === undefined ? undefined : await openHint(hint, provider.issuer(visit), provider.signing);
  let claims = parseClaimsRequest(undefined);
  let flaw =
    hint !== undefined && hinted === undefined
      ? new ProtocolError("invalid_request", "id_token_hint is not an ID token of this issuer")
      : undefined;
  try {
    claims = parseClaimsRequest(params.one("claims"));
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    flaw = thrown;
  }
  const [wished] = claims.idToken.get("sub")?.values ?? claims.userinfo.get("sub")?.values ?? [];
  const subject = hinted?.sub ?? (typeof wished === "string" ? wished : undefined);
  if (hinted !== undefined && wished !== undefined && wished !== hinted.sub)
    flaw = new ProtocolError("invalid_request", "id_token_hint and the sub that claims asks for differ");
  return { subject, claims, flaw };
}

/**
 * Judges what every provider asks of a request.
 *
 * Checks: that no parameter is repeated, response_type, response_mode, S256 and its form (RFC 7636 section 4.3),
 * `openid`, that `prompt=none` stands alone, max_age; then the provider's own rules. Throws: ProtocolError, which is
 * sent to the redirect URI.
 */
export function judgeRequest(provider: SigninProvider, request: AuthorizationRequest): void {
  const { params, challenge, prompt, flaw } = request;
  const bad = (description: string): ProtocolError => new ProtocolError("invalid_request", description);
  if (flaw !== undefined) throw flaw;
  const repeated = params.names().find((name) => name !== "resource" && params.all(name).length > 1);
  if (repeated !== undefined) throw bad(`parameter ${printable(repeated)} is repeated`);
  if (params.one("response_type") === undefined) throw bad("parameter response_type is missing");
  if (params.one("response_type") !== "code")
    throw new ProtocolError("unsupported_response_type", "only response_type code is served");
  const mode = params.one("response_mode");
  if (mode !== undefined && !responseModes.has(mode)) throw bad("response_mode is not one that is served");
  if (!request.scope.includes("openid"))
    throw new ProtocolError("invalid_scope", "scope must contain openid");
  const method = params.one("code_challenge_method");
  if (challenge === undefined && method !== undefined) throw bad("parameter code_challenge is missing");
  if (challenge !== undefined && method !== "S256") throw bad("code_challenge_method must be S256");
  if (challenge !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(challenge))
    throw bad("code_challenge must be a SHA-256 in base64url without padding");
  if (prompt.includes("none") && prompt.length > 1) throw bad("prompt=none must stand alone");
  if (params.one("max_age") !== undefined && request.maxAgeSeconds === undefined)
    throw bad("max_age must be a number of seconds");
  provider.judge(request);
}

interface Expanded {
  readonly params: FormParams;
  readonly flaw?: ProtocolError;
}

/** The parameters that count. What is wrong with a reference or an object is told at the redirect URI beside it, if there is one. */
async function expand(
  provider: SigninProvider,
  client: SigninClient,
  outer: FormParams,
  visit: Visit,
): Promise<Expanded> {
  const reference = outer.one("request_uri");
  const object = outer.one("request");
  if (provider.requestObjects === "ignored") return { params: outer };
  if (reference !== undefined) {
    if (provider.pushedPrefix !== undefined && reference.startsWith(provider.pushedPrefix))
      return { params: takePushed(provider, client, outer, reference, visit) };
    const description = "request_uri is served for pushed requests only";
    return { params: outer, flaw: new ProtocolError("request_uri_not_supported", description) };
  }
  if (object === undefined) return { params: outer };
  try {
    return { params: await openRequestObject(provider, client, object, visit) };
  } catch (thrown) {
    if (thrown instanceof ProtocolError) return { params: outer, flaw: thrown };
    throw thrown;
  }
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
  if (claims["request"] !== undefined || claims["request_uri"] !== undefined)
    throw refuse("a request object holds no other");
  const type = visit.params.one("response_type");
  if (type !== undefined && type !== claims["response_type"])
    throw refuse("response_type in the request object is another than beside it");
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(claims)) {
    const values = Array.isArray(value) ? value : [value];
    for (const one of values)
      if (typeof one === "string" || typeof one === "number") form.append(name, String(one));
      else if (name === "claims") form.append(name, JSON.stringify(one));
  }
  return parseForm(form, { repeatable: ["resource", "aud"] });
}

function words(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(" ").filter((word) => word !== "");
}

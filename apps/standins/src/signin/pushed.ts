import { parseForm, ProtocolError, randomToken } from "@portvakt/oauth";
import type { AuthenticateClient, RegisteredClient } from "@portvakt/issuer";
import type { Visit } from "../app.ts";
import type { SigninProvider } from "./provider.ts";
import { judgeRequest, openRequestObject, requestOf } from "./request.ts";

export interface PushedOptions<C extends RegisteredClient> {
  readonly provider: SigninProvider;
  readonly authenticate: AuthenticateClient<C>;
  /** How long a pushed request is good for, in seconds. */
  readonly lifetimeSeconds: number;
}

const credentialParameters: ReadonlySet<string> = new Set([
  "client_assertion",
  "client_assertion_type",
  "client_secret",
]);

/**
 * The pushed authorization request endpoint (RFC 9126 section 2.1): authenticates the client as the token endpoint
 * does, and judges the request at once, so that mistakes show here and not in the browser.
 */
export async function pushRequest<C extends RegisteredClient>(
  options: PushedOptions<C>,
  visit: Visit,
): Promise<Response> {
  const { provider } = options;
  const { request, params } = visit;
  const caller = await options.authenticate({
    params,
    headers: request.headers,
    method: request.method,
    url: request.url,
    grantType: "",
  });
  if (params.one("request_uri") !== undefined)
    throw new ProtocolError("invalid_request", "request_uri must not be pushed");
  const client = provider.findClient(caller.id, visit);
  if (client === undefined) throw new ProtocolError("invalid_client", "the client is not registered");
  const object = params.one("request");
  const inner =
    object === undefined
      ? withoutCredentials(visit)
      : await openRequestObject(provider, client, object, visit);
  judgeRequest(provider, await requestOf(provider, client, inner, visit));
  const reference = `${provider.pushedPrefix ?? ""}${randomToken(32)}`;
  provider.pushed.set(reference, { clientId: client.id, params: inner }, options.lifetimeSeconds);
  return Response.json(
    { request_uri: reference, expires_in: options.lifetimeSeconds },
    { status: 201, headers: { "cache-control": "no-store" } },
  );
}

function withoutCredentials(visit: Visit): ReturnType<typeof parseForm> {
  const form = new URLSearchParams();
  for (const name of visit.params.names())
    if (!credentialParameters.has(name)) for (const value of visit.params.all(name)) form.append(name, value);
  return parseForm(form, { repeatable: ["resource"] });
}

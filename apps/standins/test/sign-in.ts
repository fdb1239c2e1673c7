// Signing in with the independent client, step by step as an application does.
import * as client from "oauth4webapi";
import { browser, insecure, redirectUri } from "./kit.ts";

export interface SignIn {
  readonly server: client.AuthorizationServer;
  readonly client: client.Client;
  readonly auth: client.ClientAuth;
  readonly params?: Record<string, string>;
  readonly tab?: ReturnType<typeof browser>;
  /** Pushes the request first (RFC 9126). */
  readonly pushed?: boolean;
  /** Chooses on the page; absent = no page is expected. */
  readonly choose?: (page: Response, tab: ReturnType<typeof browser>) => Promise<Response>;
}

export interface SignedIn {
  readonly tokens: client.TokenEndpointResponse;
  readonly claims: client.IDToken;
  readonly code: string;
  readonly verifier: string;
  readonly tab: ReturnType<typeof browser>;
  readonly callback: URL;
}

/** Starts an authorization request and gives the redirect to the application, whatever it says. */
export async function request(options: SignIn): Promise<{
  callback: URL;
  state: string;
  nonce: string;
  verifier: string;
  tab: ReturnType<typeof browser>;
}> {
  const { server } = options;
  const tab = options.tab ?? browser();
  const verifier = client.generateRandomCodeVerifier();
  const state = client.generateRandomState();
  const nonce = client.generateRandomNonce();
  const params = new URLSearchParams({
    client_id: options.client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid",
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...options.params,
  });
  const url = new URL(server.authorization_endpoint ?? "");
  if (options.pushed === true) {
    const response = await client.pushedAuthorizationRequest(
      server,
      options.client,
      options.auth,
      params,
      insecure,
    );
    const { request_uri } = await client.processPushedAuthorizationResponse(server, options.client, response);
    url.search = new URLSearchParams({ client_id: options.client.client_id, request_uri }).toString();
  } else url.search = params.toString();
  let response = await tab.open(url);
  if (options.choose !== undefined) response = await options.choose(response, tab);
  const location = response.headers.get("location");
  if (location === null)
    throw new Error(
      `no redirect but ${response.status}: ${(await response.text()).replaceAll(/<style>[^]*<\/style>|<[^>]+>|\s+/g, " ")}`,
    );
  return { callback: new URL(location), state, nonce, verifier, tab };
}

/** The whole code flow, every check of the independent client included. */
export async function signIn(options: SignIn): Promise<SignedIn> {
  const { server, auth } = options;
  const { callback, state, nonce, verifier, tab } = await request(options);
  const answered = client.validateAuthResponse(server, options.client, callback, state);
  const response = await client.authorizationCodeGrantRequest(
    server,
    options.client,
    auth,
    answered,
    redirectUri,
    verifier,
    insecure,
  );
  const tokens = await client.processAuthorizationCodeResponse(server, options.client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  const claims = client.getValidatedIdTokenClaims(tokens);
  if (claims === undefined) throw new Error("no ID token");
  return { tokens, claims, code: callback.searchParams.get("code") ?? "", verifier, tab, callback };
}

// What the login proxy answers for, as a client in front of an application: each row names the test that shows it.

import type { Requirement, Specification } from "./table.ts";

const folder = "apps/login/test";
const here = `${folder}/requirements.test.ts`;
const signIn = `${folder}/sign-in.test.ts`;
const logout = `${folder}/logout.test.ts`;
const proxy = `${folder}/proxy.test.ts`;
const trouble = `${folder}/trouble.test.ts`;
const refresh = `${folder}/refresh.test.ts`;
const providers = `${folder}/providers.test.ts`;
const advisories = `${folder}/advisories.test.ts`;
const weakPoints = `${folder}/weak-points.test.ts`;
const forwardAuth = `${folder}/forward-auth.test.ts`;
const edge = `${folder}/edge.test.ts`;
const redirects = "apps/login/src/request/redirect.test.ts";
const sessions = "apps/login/src/session/session.test.ts";

type Row = readonly [section: string, level: Requirement["level"], says: string, file: string, name: string];

function rowsOf(rows: readonly Row[]): Requirement[] {
  return rows.map(([section, level, says, file, name]) => ({ section, level, says, test: [file, name] }));
}

export const rfc9700: Specification = {
  name: "RFC 9700",
  title: "Best current practice for OAuth 2.0 security, what concerns a client",
  requirements: rowsOf([
    ["2.1", "must", "clients are no open redirectors", redirects, "our name as user information"],
    [
      "2.1",
      "must",
      "an answer to a request that this browser never made is refused (CSRF)",
      signIn,
      "a callback that this browser never began is refused (RFC 6749 section 10.12)",
    ],
    [
      "2.1",
      "must",
      "a mix-up is refused: by iss, and by a redirect URI per provider",
      providers,
      "mix-up (RFC 9700 section 4.4): an answer that comes to another provider's callback is refused, its code unspent",
    ],
    [
      "2.1.1",
      "must",
      "PKCE, with a method that does not expose the verifier",
      signIn,
      "RFC 7636 and RFC 9126: with PAR the browser carries only client_id and request_uri; S256, state and nonce are always sent",
    ],
    [
      "2.1.1",
      "must",
      "challenge and nonce are of one transaction, and bound to its browser",
      here,
      "RFC 9700 section 2.1.1: each attempt has a challenge, a nonce and a state of its own",
    ],
    [
      "2.1.2",
      "should",
      "no implicit grant, nothing that puts tokens into addresses",
      here,
      "RFC 9700 section 2.1.2: only a code is asked for, and a token in the answer's address signs nobody in",
    ],
    [
      "2.2.2",
      "must",
      "refresh tokens rotate: what was replaced is not used",
      here,
      "RFC 9700 section 4.14.2: a refresh token that was replaced is never sent again",
    ],
    [
      "2.3",
      "should",
      "an access token is for one resource server",
      edge,
      "exchange at the edge: the application receives a token made for it, never the sign-in's own, and one exchange serves many",
    ],
    [
      "2.5",
      "should",
      "clients prove themselves with asymmetric keys",
      here,
      "RFC 9700 section 2.5: the client proves itself by a signature, a new one each time, and sends no secret",
    ],
    [
      "2.6",
      "should",
      "endpoints and keys come from the server's metadata, and follow it",
      trouble,
      "metadata is read again while running",
    ],
    [
      "4.1.3",
      "must",
      "the redirect URI is the registered one, to the letter",
      here,
      "OpenID Connect Core section 3.1.2.1: scope holds openid, and redirect_uri is the registered one to the letter",
    ],
    [
      "4.2.4",
      "should",
      "no code or state leaks by Referer; a state is used once",
      here,
      "RFC 9700 section 4.2.4: the callback's address is left at once, used once, and pages of ours send no Referer",
    ],
    [
      "4.4.2",
      "must",
      "an answer whose iss is missing although announced is refused",
      signIn,
      "missing although announced",
    ],
    [
      "4.5.3",
      "must",
      "a code that was stolen and injected signs nobody in: by PKCE",
      here,
      "RFC 9700 section 4.5.3: a code that was issued to another browser's attempt signs nobody in",
    ],
    ["4.5.3", "must", "and by nonce", signIn, "OpenID Connect Core 3.1.3.7 (11): another nonce"],
    ["4.11.1", "must", "no address from outside is redirected to", redirects, "another origin"],
    [
      "4.13",
      "must",
      "a reverse proxy removes what clients forge: X-Forwarded-*",
      proxy,
      "weak point 4.2.4: X-Forwarded-* are set anew unless the peer is on the list",
    ],
    [
      "4.13",
      "must",
      "a reverse proxy removes what clients forge: who the user is",
      advisories,
      "X-Wonderwall-Id-Token",
    ],
    [
      "4.14.2",
      "must",
      "a refresh that the server refuses for good ends the session",
      refresh,
      "a final refusal (invalid_grant) ends the session",
    ],
    [
      "4.16",
      "must",
      "pages cannot be framed",
      here,
      "RFC 9700 section 4.16: pages of ours stand in nobody's frame",
    ],
  ]),
};

export const rfc10017: Specification = {
  name: "RFC 10017",
  title: "OAuth 2.0 for browser-based applications, as a backend for frontend",
  requirements: rowsOf([
    [
      "6.1.3.1",
      "must",
      "the backend is a confidential client",
      here,
      "RFC 9700 section 2.5: the client proves itself by a signature, a new one each time, and sends no secret",
    ],
    [
      "6.1.1",
      "-",
      "requests with a session go to the API with its token, whatever the page sent",
      proxy,
      "a session's token replaces whatever Authorization the client sent",
    ],
    [
      "6.1.2.1",
      "-",
      "the page can ask whether there is a session",
      refresh,
      "the session's JSON is the baseline's",
    ],
    [
      "6.1",
      "-",
      "tokens stay with the backend",
      here,
      "RFC 10017 section 6.1: the browser never receives a token, in no body, header or cookie",
    ],
    [
      "6.1.2.3",
      "-",
      "a session that the store keeps is worth nothing without its cookie",
      sessions,
      "the store holds nothing that can be read without the cookie: no token, no name, in no key and no value",
    ],
    [
      "6.1.2.2",
      "-",
      "tokens are refreshed by the backend; the page does not notice",
      refresh,
      "users need 1: 200 parallel requests at expiry over 3 replicas on one store",
    ],
    [
      "6.1.2.1",
      "-",
      "signing out ends the session at the backend and at the provider, and revokes tokens",
      logout,
      "RP-Initiated Logout section 2: the session ends here, at the provider, and its tokens are revoked",
    ],
    [
      "6.1.3.1",
      "must",
      "authorization code with PKCE",
      signIn,
      "RFC 7636 and RFC 9126: with PAR the browser carries only client_id and request_uri; S256, state and nonce are always sent",
    ],
    [
      "6.1.3.2",
      "must",
      "cookies are Secure and HttpOnly",
      here,
      "RFC 10017 section 6.1.3.2: the session's cookie is Secure, HttpOnly, SameSite, __Host- and says nothing",
    ],
    [
      "6.1.3.2",
      "should",
      "cookies have the path / and no Domain, and a name that says how they were set",
      here,
      "RFC 10017 section 6.1.3.2: the session's cookie is Secure, HttpOnly, SameSite, __Host- and says nothing",
    ],
    [
      "6.1.3.2",
      "should",
      "SameSite=Strict can be had",
      here,
      "RFC 10017 section 6.1.3.2: SameSite is Strict where that is asked for",
    ],
    [
      "6.1.3.2",
      "should",
      "cookies are encrypted, with keys that can be replaced",
      sessions,
      "weak point 4.2.15: a new key in the ring signs nobody out, and a key that is gone opens nothing",
    ],
    [
      "6.1.1",
      "-",
      "the session's cookie does not reach the application",
      proxy,
      "weak point 4.2.2: our own cookies never reach the application, its own do",
    ],
    [
      "6.1.3.3",
      "must",
      "another site's page cannot use the session (CSRF), also not a sibling's",
      proxy,
      "a sibling domain's page",
    ],
    ["6.1.3.3", "must", "nor can a browser that says nothing about the site", proxy, "neither header"],
    [
      "6.1.3.3",
      "must",
      "nor by a WebSocket",
      "apps/login/test/upgrade.test.ts",
      "WebSockets pass, with the session's token; an upgrade from another site does not",
    ],
    [
      "6.1.3.3",
      "must",
      "nor through a proxy that asks us first",
      forwardAuth,
      "forward-auth: a WebSocket is asked for like anything else, and not by another site's page",
    ],
    [
      "6.1.3.3",
      "must",
      "nor refresh or end the session",
      weakPoints,
      "weak point 4.2.18: session/refresh answers POST, and GET where another site cannot forge it",
    ],
    [
      "6.1.3.6",
      "must",
      "no request chooses where it is sent on",
      here,
      "RFC 10017 section 6.1.3.6: nothing in a request chooses where it is forwarded",
    ],
  ]),
};

export const rpInitiatedLogout: Specification = {
  name: "OpenID Connect RP-Initiated Logout",
  title: "what concerns a client",
  requirements: rowsOf([
    [
      "2",
      "should",
      "id_token_hint, client_id, post_logout_redirect_uri and state are sent",
      logout,
      "RP-Initiated Logout section 2: the session ends here, at the provider, and its tokens are revoked",
    ],
    [
      "2",
      "may",
      "logout_hint is passed on",
      here,
      "OpenID Connect RP-Initiated Logout section 2: a hint about whom to log out is passed on",
    ],
    [
      "2",
      "-",
      "a provider without the endpoint: the session ends here",
      logout,
      "a provider without end_session_endpoint: the user goes straight on",
    ],
    [
      "3",
      "must",
      "only the state that was sent decides where the user goes",
      here,
      "OpenID Connect RP-Initiated Logout section 3: a state that is not ours leads nowhere but home",
    ],
    [
      "3",
      "-",
      "the address after it is the application's own",
      logout,
      "logout goes on to the address asked for, if it is the application's own",
    ],
  ]),
};

export const frontChannelLogout: Specification = {
  name: "OpenID Connect Front-Channel Logout",
  title: "what concerns a client",
  requirements: rowsOf([
    [
      "2",
      "must",
      "iss and sid are both checked; the session ends on every replica",
      logout,
      "weak point 4.2.10: front-channel logout wants both iss and sid, and ends that session on every replica",
    ],
    [
      "3",
      "should",
      "the answer is not cached; the provider may frame it",
      here,
      "OpenID Connect Front-Channel Logout section 3: the answer is not cached, and only the provider may frame it",
    ],
  ]),
};

/** Rows for tables that others have begun. */
export const clientRows: Readonly<
  Record<"openidCore" | "backChannelLogout" | "rfc9207" | "rfc9470", readonly Requirement[]>
> = {
  openidCore: rowsOf([
    [
      "3.1.2.1",
      "must",
      "the request: scope with openid, response_type code, the registered redirect_uri",
      here,
      "OpenID Connect Core section 3.1.2.1: scope holds openid, and redirect_uri is the registered one to the letter",
    ],
    [
      "3.1.2.6",
      "must",
      "an error in the answer signs nobody in",
      signIn,
      "the user who cancels at the provider sees a page and is not sent there again",
    ],
    [
      "3.1.2.7",
      "must",
      "the answer's state is the one that was sent",
      signIn,
      "a callback that this browser never began is refused (RFC 6749 section 10.12)",
    ],
    [
      "3.1.3.3",
      "must",
      "token_type is Bearer",
      here,
      "OpenID Connect Core section 3.1.3.3: a token of another type than Bearer signs nobody in",
    ],
    [
      "3.1.3.7, 12",
      "should",
      "acr is at or above the one that was asked for",
      signIn,
      "OpenID Connect Core 3.1.3.7 (12): a lower acr than asked for",
    ],
    [
      "3.1.3.7, 13",
      "should",
      "auth_time is checked where a new sign-in was asked for",
      signIn,
      "OpenID Connect Core 3.1.3.7 (13): auth_time older than max_age=0 (weak point 4.2.11)",
    ],
    [
      "9",
      "must",
      "private_key_jwt: iss, sub, aud, jti and exp, judged by another's code",
      signIn,
      "journey 1.1: a browser signs in and the application receives the access token",
    ],
    [
      "9",
      "-",
      "client_secret_basic where there is no key",
      signIn,
      "a client secret instead of a key, without PAR",
    ],
    [
      "10.1.1",
      "should",
      "an unknown key is fetched: the provider may rotate its keys",
      signIn,
      "an unknown signing key is fetched anew: the provider may rotate its keys while we run",
    ],
    [
      "12.2",
      "must",
      "a refreshed ID token is of the same user",
      refresh,
      "OpenID Connect Core section 12.2: a refreshed ID token of another user ends the session",
    ],
  ]),
  backChannelLogout: rowsOf([
    [
      "2.5",
      "must",
      "the logout token comes in a form that was posted",
      here,
      "OpenID Connect Back-Channel Logout section 2.5: the token comes in a form that was posted, in no other way",
    ],
    ["2.6", "must", "a logout token that was used before is refused", logout, "by sid"],
    [
      "4",
      "must",
      "an ID token is no logout token",
      logout,
      "Back-Channel Logout 1.0: an ID token is no logout token",
    ],
    [
      "2.7",
      "must",
      "the sessions end, on every replica, with what they have open",
      logout,
      "a back-channel logout on one replica ends the event streams and WebSockets of the session on another",
    ],
    [
      "2.7",
      "should",
      "a session that was logged out is not refreshed",
      here,
      "OpenID Connect Back-Channel Logout section 2.7: what was logged out is not refreshed, and its token goes nowhere",
    ],
    [
      "2.8",
      "must",
      "200, also when there is nothing left; 400 with JSON; never cached",
      here,
      "OpenID Connect Back-Channel Logout section 2.8: 200 also when the session is gone, errors as JSON with 400, nothing cached",
    ],
  ]),
  rfc9207: rowsOf([
    [
      "2.4",
      "must",
      "the iss of an error answer is checked like any other",
      here,
      "RFC 9207 section 2.4: an error answer of another issuer is refused like any other",
    ],
    [
      "2.4",
      "must",
      "an iss that is another's is refused also where none was announced",
      signIn,
      "another's, even when not announced",
    ],
    [
      "4",
      "-",
      "with several providers each has a callback of its own",
      providers,
      "mix-up (RFC 9700 section 4.4): an answer that comes to another provider's callback is refused, its code unspent",
    ],
  ]),
  rfc9470: rowsOf([
    [
      "4",
      "-",
      "a client that is challenged asks for acr_values and max_age",
      trouble,
      "RFC 9470: a challenge from the application turns a navigation into a new login at that level, back to the same page",
    ],
    ["4", "-", "other challenges are passed on", trouble, "another error"],
    [
      "4",
      "-",
      "so are those to requests without a session",
      trouble,
      "without a session a challenge is passed on",
    ],
  ]),
};

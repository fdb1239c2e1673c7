// What specifications ask of a provider, row by row, shown by the tests of the plain OpenID stand-in: how binding it is, the test file in
// apps/standins/test, and the test's name, which begins with the specification and the section.

import type { Requirement, Specification } from "./table.ts";

const rows = `
must   openid-authorization OpenID Connect Core section 3.1.2.1: prompt=none without a session is login_required
must   openid-authorization OpenID Connect Core section 3.1.2.1: prompt=none with a session answers without a page, for the same sub
must   openid-authorization OpenID Connect Core section 3.1.2.1: prompt=none beside another value is refused
should openid-authorization OpenID Connect Core section 3.1.2.1: prompt=login shows the page though there is a session
should openid-authorization OpenID Connect Core section 3.1.2.1: prompt=consent shows the page though there is a session
should openid-authorization OpenID Connect Core section 3.1.2.1: prompt=select_account shows the page though there is a session
must   openid-authorization OpenID Connect Core section 3.1.2.1: prompt=login makes auth_time new
should openid-authorization OpenID Connect Core section 3.1.2.1: a prompt that is not known is refused
must   openid-authorization OpenID Connect Core section 3.1.2.1: max_age asks again when it has passed, and auth_time tells
should openid-authorization OpenID Connect Core section 3.1.2.1: max_age=0 is a new sign-in
must   openid-authorization OpenID Connect Core section 3.1.2.1: max_age that is no number is refused
should openid-authorization OpenID Connect Core section 3.1.2.1: id_token_hint of whoever is signed in succeeds with prompt=none
should openid-authorization OpenID Connect Core section 3.1.2.1: id_token_hint of somebody else is login_required
must   openid-authorization OpenID Connect Core section 3.1.2.1: an id_token_hint that was altered is refused
must   openid-authorization OpenID Connect Core section 3.1.2.1: an access token is no id_token_hint
must   openid-authorization OpenID Connect Core section 3.1.2.6: cancelling is access_denied
must   openid-authorization OpenID Connect Core section 2: the ID token has iss, sub, aud, exp, iat, auth_time, nonce and a right at_hash
must   openid-authorization OpenID Connect Core section 3.1.2.1: without a nonce the ID token has none
must   openid-authorization OpenID Connect Core section 5.4: scope profile brings its claims, and no other scope's
must   openid-authorization OpenID Connect Core section 5.4: scope email brings its claims, and no other scope's
must   openid-authorization OpenID Connect Core section 5.4: scope address brings its claims, and no other scope's
must   openid-authorization OpenID Connect Core section 5.4: scope phone brings its claims, and no other scope's
may    openid-authorization OpenID Connect Core section 5.5: the claims parameter asks for single claims, here and there
must   openid-authorization OpenID Connect Core section 5.5: claims that is no JSON is refused
must   openid-authorization OpenID Connect Core section 5.5: claims that is no object is refused
must   openid-authorization OpenID Connect Core section 5.5: claims with no object within is refused
must   openid-authorization OpenID Connect Core section 5.5.1: members that are not understood are ignored
must   openid-authorization OpenID Connect Core section 3.1.2.2: a wished sub is answered with that person, or not at all
should openid-authorization OpenID Connect Core section 5.5.1.1: acr by acr_values, and an essential one that nobody reaches fails
must   openid-authorization OpenID Connect Core section 3.1.2.1: by POST as by GET
should openid-authorization OpenID Connect Core section 3.1.2.1: display is taken or ignored, never refused
should openid-authorization OpenID Connect Core section 3.1.2.1: ui_locales is taken or ignored, never refused
should openid-authorization OpenID Connect Core section 3.1.2.1: claims_locales is taken or ignored, never refused
should openid-authorization OpenID Connect Core section 3.1.2.1: unheard_of is taken or ignored, never refused
should openid-authorization OpenID Connect Core section 3.1.2.1: login_hint is taken or ignored, never refused
must   openid-authorization RFC 6749 section 3.1: a parameter without a value counts as absent
must   openid-authorization RFC 6749 section 4.1.2.1: no response_type is told at the redirect URI, with state and iss
must   openid-authorization RFC 6749 section 3.1.1: a response_type that is not served is told at the redirect URI, with state and iss
must   openid-authorization RFC 6749 section 3.1: a parameter that is repeated is told at the redirect URI, with state and iss
must   openid-authorization RFC 6749 section 3.3: a scope that is not registered is told at the redirect URI, with state and iss
must   openid-authorization RFC 7636 section 4.4.1: a transformation that is not served is told at the redirect URI, with state and iss
must   openid-authorization RFC 7636 section 4.3: a method without a challenge is told at the redirect URI, with state and iss
may    openid-authorization OpenID Connect Core section 3.1.2.6: a request_uri of the client's own is told at the redirect URI, with state and iss
must   openid-authorization OpenID Connect Core section 6.1: a request object without a signature is told at the redirect URI, with state and iss
may    openid-authorization OAuth 2.0 Multiple Response Types section 5: id_token is refused in the fragment
may    openid-authorization OAuth 2.0 Multiple Response Types section 5: token id_token is refused in the fragment
may    openid-authorization OAuth 2.0 Multiple Response Types section 5: code id_token is refused in the fragment
must   openid-authorization RFC 6749 section 4.1.2.1: no client_id is a page, and redirects nobody
must   openid-authorization RFC 6749 section 4.1.2.1: an unknown client is a page, and redirects nobody
must   openid-authorization RFC 6749 section 4.1.2.1: no redirect_uri is a page, and redirects nobody
must   openid-authorization RFC 6749 section 4.1.2.1: a redirect_uri that is not registered is a page, and redirects nobody
must   openid-authorization RFC 6749 section 4.1.2.1: a redirect_uri with something added is a page, and redirects nobody
must   openid-authorization RFC 6749 section 4.1.2.1: redirect_uri twice is a page, and redirects nobody
must   openid-authorization RFC 6749 section 4.1.2.1: client_id twice is a page, and redirects nobody
must   openid-authorization RFC 6749 section 3.1.2: a query of the redirect URI is kept
must   openid-authorization RFC 9101 section 6.3: what stands in the object counts, nested claims too
must   openid-authorization RFC 9101 section 6.2: a stranger's signature is invalid_request_object
must   openid-authorization RFC 9101 section 6.2: another client is invalid_request_object
must   openid-authorization RFC 9101 section 6.2: another audience is invalid_request_object
must   openid-authorization RFC 9101 section 6.2: another response_type than beside it is invalid_request_object
must   openid-authorization RFC 9101 section 6.2: a request object within is invalid_request_object
must   openid-authorization RFC 9101 section 6.2: nothing that can be read is invalid_request_object
must   openid-authorization RFC 9207 section 2: iss is in the answer, with a code and with an error
must   openid-authorization OAuth 2.0 Form Post Response Mode section 2: a code comes in a form that needs no script, escaped and not cached
must   openid-authorization OAuth 2.0 Form Post Response Mode section 2: an error comes in a form that needs no script, escaped and not cached
must   openid-authorization OAuth 2.0 Form Post Response Mode section 2: response_mode=fragment and query are where they say
should openid-authorization RFC 6749 section 10.5: no cache keeps an answer, and no referrer tells it
must   openid-tokens        RFC 6749 section 5.1: the answer is not cached, and names type, life and scope
must   openid-tokens        RFC 6749 section 2.3.1: by Basic and by form, but not both at once
must   openid-tokens        RFC 6749 section 5.2: a wrong secret by Basic is 401 with a challenge
must   openid-tokens        RFC 6749 section 5.2: an unknown client is invalid_client
must   openid-tokens        RFC 6749 section 5.2: no client authentication is invalid_client
must   openid-tokens        RFC 6749 section 5.2: no grant_type is invalid_request
must   openid-tokens        RFC 6749 section 5.2: a grant_type that is not served is unsupported_grant_type
must   openid-tokens        RFC 6749 section 4.1.3: no code is invalid_request
must   openid-tokens        RFC 6749 section 4.1.3: an unknown code is invalid_grant
must   openid-tokens        RFC 6749 section 4.1.3: another redirect_uri is invalid_grant
must   openid-tokens        RFC 6749 section 4.1.3: another client's code is invalid_grant
must   openid-tokens        RFC 7636 section 4.6: a wrong code_verifier is invalid_grant
must   openid-tokens        RFC 7636 section 4.6: no code_verifier is invalid_grant
must   openid-tokens        RFC 6749 section 3.2: a repeated parameter is invalid_request
must   openid-tokens        RFC 6749 section 3.2: GET is not served
should openid-tokens        RFC 6749 section 4.1.2: a code is good for a minute
should openid-tokens        RFC 6749 section 4.1.2: a code used twice is refused, and its tokens are revoked, also when it is late
may    openid-tokens        RFC 6749 section 6: a refresh may narrow the scope, and not widen it
must   openid-tokens        RFC 6749 section 6: another client's refresh token is invalid_grant
should openid-tokens        OpenID Connect Core section 12.2: a refreshed ID token keeps iss, sub, aud and auth_time, and has no nonce
must   openid-tokens        RFC 9449 section 5: a proof binds the tokens; userinfo wants it again, once, with the right token
may    openid-tokens        OpenID Connect Core section 5.3: by GET and POST in the header, and by POST in the form; sub is the ID token's
should openid-tokens        RFC 6750 section 3.1: without a token there is a challenge and no error code
must   openid-tokens        RFC 6750 section 3.1: a token that is none is invalid_token
must   openid-tokens        RFC 6750 section 3.1: an ID token is invalid_token
must   openid-tokens        RFC 6750 section 2: a token in two places is invalid_request
must   openid-tokens        RFC 6750 section 3.1: a token without the scope openid is insufficient_scope
must   openid-tokens        RFC 6750 section 2.3: a token in the query is not looked at
should openid-tokens        OpenID Connect Core section 5.3.1: pages of other origins may call it
must   openid-tokens        RFC 7662 section 2.2: a live access token is told of
must   openid-tokens        RFC 7662 section 2.1: refresh tokens are found, whatever the hint says
must   openid-tokens        RFC 7662 section 2.2: of a token that is unknown, expired, spent or revoked nothing but active false is said
must   openid-tokens        RFC 7662 section 2.1: the caller must authenticate, which a public client does not
must   openid-tokens        RFC 7662 section 2.1: token is required
should openid-tokens        RFC 7009 section 2.1: revoking a refresh token ends the access tokens of its grant
must   openid-tokens        RFC 7009 section 2.1: an access token is revoked at once, with a wrong hint too
must   openid-tokens        RFC 7009 section 2.2: a token that is not known is answered with 200
must   openid-tokens        RFC 7009 section 2.1: another client's token is refused, and lives on
must   openid-tokens        RFC 7009 section 2.1: without credentials, or without a token, it is refused
must   openid-metadata      RFC 9126 section 2.2: 201 with a reference that cannot be guessed, and its life
must   openid-metadata      RFC 9126 section 4: the reference stands for the request, once, for its own client, while it lives
must   openid-metadata      RFC 9126 section 2.1: request_uri is refused when it is pushed
must   openid-metadata      RFC 9126 section 2.1: no client authentication is refused when it is pushed
must   openid-metadata      RFC 9126 section 2.1: credentials of another client than client_id is refused when it is pushed
must   openid-metadata      RFC 9126 section 2.3: a redirect_uri that is not registered is refused when it is pushed
must   openid-metadata      RFC 9126 section 2.3: a scope that is not registered is refused when it is pushed
must   openid-metadata      RFC 9126 section 2.3: a response_type that is not served is refused when it is pushed
must   openid-metadata      RFC 7636 section 4.4.1: plain is refused when it is pushed
should openid-metadata      RFC 9126 section 2.3: GET is 405
must   openid-metadata      OpenID Connect Discovery section 3: the members that are required, and none that is not true
must   openid-metadata      OpenID Connect Discovery section 4.3: issuer is letter by letter the one that was asked, at any path
may    openid-metadata      RFC 8414 section 3.1: the well-known part may stand before the issuer's path
must   openid-metadata      OpenID Connect Core section 10.1: a published key has kid, use and alg, and nothing private
must   openid-metadata      OpenID Connect Core section 10.1.1: after a rotation new tokens have a new kid, and old ones still verify
should openid-metadata      RFC 8414 section 3: pages of other origins may read metadata and keys
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: with the session's hint it ends without a question, and goes to the registered URI with state
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: by POST as by GET
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: without post_logout_redirect_uri a page says that it is done
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: no parameters, the person is asked, and yes ends the session
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: only state, the person is asked, and yes ends the session
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: client_id alone, the person is asked, and yes ends the session
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: no leaves the session as it is
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: a hint about somebody else is asked about too
must   openid-logout        OpenID Connect RP-Initiated Logout section 6: another browser cannot answer the question
must   openid-logout        OpenID Connect RP-Initiated Logout section 3: a URI that is not registered redirects nobody and ends nothing
must   openid-logout        OpenID Connect RP-Initiated Logout section 3: a registered URI with a query added redirects nobody and ends nothing
must   openid-logout        OpenID Connect RP-Initiated Logout section 3: a URI without a client redirects nobody and ends nothing
must   openid-logout        OpenID Connect RP-Initiated Logout section 4: a hint that was altered redirects nobody and ends nothing
must   openid-logout        OpenID Connect RP-Initiated Logout section 4: a hint that is none redirects nobody and ends nothing
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: client_id of another client than the hint's redirects nobody and ends nothing
must   openid-logout        OpenID Connect RP-Initiated Logout section 2: a hint that has expired is good
must   openid-logout        OpenID Connect Front-Channel Logout section 3: every client of the session is loaded in a frame with iss and sid, and its query is kept
must   openid-logout        OpenID Connect Back-Channel Logout section 2.4: the client is posted a signed logout token with sub, sid, events, jti and no nonce
must   openid-logout        OpenID Connect Back-Channel Logout section 2.3: ID tokens carry the sid, the same for every client of the session
should openid-logout        OpenID Connect Discovery section 3: logout is told of in the metadata
`;

const titles: Readonly<Record<string, string>> = {
  "OAuth 2.0 Form Post Response Mode": "authorization responses by POST",
  "OAuth 2.0 Multiple Response Types": "where an answer is put",
  "OpenID Connect Discovery": "the metadata of a provider",
  "RFC 9101": "request objects by value",
};
const line = /^(must|should|may) +([\w-]+) +((.+?) section ([\d.]+): (.+))$/;

interface Row {
  readonly specification: string;
  readonly requirement: Requirement;
}

function rowOf(text: string): Row {
  const [, level, file, test = "", specification = "", section = "", says = ""] = line.exec(text) ?? [];
  if (says === "") throw new Error(`no row: ${text}`);
  return {
    specification,
    requirement: {
      section,
      level: level as Requirement["level"],
      says,
      test: [`apps/standins/test/${file}.test.ts`, test],
    },
  };
}

/** The tables of a provider, one for each specification. */
export const provider: readonly Specification[] = Object.entries(
  Object.groupBy(rows.trim().split("\n").map(rowOf), ({ specification }) => specification),
).map(([name, found = []]) => ({
  name,
  title: titles[name] ?? "",
  requirements: found.map(({ requirement }) => requirement),
}));

/** Tables with the rows of others of the same name added. */
export function joined(
  tables: readonly Specification[],
  more: readonly Specification[],
): readonly Specification[] {
  const names = new Set(tables.map(({ name }) => name));
  return [
    ...tables.map((table) => ({
      ...table,
      requirements: [
        ...table.requirements,
        ...more.filter(({ name }) => name === table.name).flatMap(({ requirements }) => requirements),
      ],
    })),
    ...more.filter(({ name }) => !names.has(name)),
  ];
}

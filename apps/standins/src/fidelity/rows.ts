// Each documented behaviour of each provider: what it is | where that is written | the test file | the test that shows it. A row with `-`
// for its file is not shown by a test; it says what stands there instead.

export const rows = `
# ID-porten
Code flow with PAR, PKCE S256 and private_key_jwt; \`iss\` in the answer | docs.digdir.no; RFC 9126, 7636, 9207 | idporten | signs in by PAR, PKCE and private_key_jwt; the tokens say who, how, and for whom
\`aud\` is the resource, or \`unspecified\`; \`sub\` is pairwise | docs.digdir.no | idporten | a token without a resource is for nobody in particular, and sub differs between clients
A foreign eID may have no \`pid\` | docs.digdir.no | idporten | a foreign eID has no pid
PKCE, \`state\` and \`nonce\` are forced; \`plain\` is refused | docs.digdir.no | idporten-refusals | RFC 7636 section 4.4.1: no code_challenge
Levels: unknown ones are refused, and too low a person does not get in | docs.digdir.no | idporten-refusals | a level above the persona's
A pushed request lives 120 seconds, for one use by its own client, and nothing may stand beside it | docs.digdir.no; RFC 9126 | idporten-refusals | section 7.3: is good once, for its own client, for 120 seconds, with nothing beside it
Request object by value, signed by the client | docs.digdir.no; RFC 9101 | idporten-refusals | section 6.3: only what is inside counts
Single sign-on for 30 minutes, prolonged by use, 120 at most | docs.digdir.no | idporten-sessions | a session ends 30 minutes after its last use, and after 120 minutes in any case
\`prompt\`, \`max_age\` and a higher level ask again | docs.digdir.no; OpenID Connect Core | idporten-sessions | a session signs in without a page, until prompt=login, a higher level, or max_age asks for more
Isolated single sign-on for a client | docs.digdir.no | idporten-sessions | an isolated client neither makes nor uses the shared session
Refresh tokens for one use, with reuse detection; or kept, by registration | docs.digdir.no | idporten | refresh gives a new refresh token; the old one used again ends them all (RFC 9700 section 4.14.2)
Access tokens by reference, with introspection and revocation | docs.digdir.no; RFC 7662, 7009 | idporten | a token by reference is opaque; introspection opens it, revocation and logout close it
Logout by \`id_token_hint\` or \`client_id\`, to registered URIs only | docs.digdir.no | idporten-refusals | takes an ID token that has expired as a hint
Front-channel logout to every client of the session, with \`iss\` and \`sid\` | docs.digdir.no | idporten | logout tells every client of the session, by front channel and back channel, and goes on
\`response_mode\` query, fragment, form_post | docs.digdir.no | idporten | response_mode form_post and fragment
Client assertions: signature, audience, times, one use | docs.digdir.no; RFC 7523 | idporten-refusals | RFC 7523 section 3: a jti used twice
A code is good once, and its second use revokes the first's tokens | RFC 6749 | idporten-refusals | RFC 6749 section 4.1.2: used twice, and then the first tokens are revoked
The provider's verification tests for integrators, 1 to 11, over two services | felleslosninger/docs: saml_verifikasjonstester | idporten-verification | 7. SLO from another service reaches one's own, by front channel
\`onbehalfof\`: the page names whom it is for; only those that are registered | docs.digdir.no | idporten-verification | 10. onbehalfof: the page names whom it is for; one that is not registered is refused
Pages in nb, nn, en and se, by \`ui_locales\` | docs.digdir.no | idporten-verification | the page is in that language, and goes on in it
Logout without the provider's cookie is an error page | docs.digdir.no | idporten-refusals | shows an error page to a browser that has not the provider's cookie
Pages of other origins may read metadata and keys, and call nothing else | RFC 8414 | openid-metadata | RFC 8414 section 3: pages of other origins may read metadata and keys
\`prompt\` only \`login\` (and \`none\`) | docs.digdir.no | idporten-refusals | a prompt that ID-porten does not have
A choice among real eIDs (BankID, Buypass, Commfides, MinID) with their pages | docs.digdir.no | - | one page with personas stands for them
Choice of a foreign eID by country | docs.digdir.no | - | the persona elsa stands for it
Self-service of clients by API | docs.digdir.no | - | registrations come by the control API

# Entra ID
Issuer, endpoints and keys by tenant; \`common\` with a placeholder | learn.microsoft.com/entra | entra | the layout is the provider's: issuer, endpoints and keys by tenant
The claims of v2.0 tokens, \`NAVident\`, \`azp_name\` and groups among them; 3900 seconds from \`iat\` to \`exp\` | learn.microsoft.com/entra; docs.nais.io | entra | signs an employee in; the tokens carry what the platform's applications read
On-behalf-of: scopes by the access policy, for the same person | learn.microsoft.com/entra; docs.nais.io | entra | on behalf of: a new token for the next application, for the same person
Client credentials: \`idtyp\` app, \`sub\` is \`oid\`, roles by the access policy | learn.microsoft.com/entra; docs.nais.io | entra | client credentials: roles by the access policy, sub is oid, idtyp app
A refresh token can be used again, and asks for other resources | learn.microsoft.com/entra | entra | refresh gives a new refresh token and goes on taking the old one; it can ask for another resource
Groups assigned to the application; overage with \`_claim_names\` | learn.microsoft.com/entra | entra | groups: those assigned to the application; with more than 200 a pointer instead
Federated workload assertions | learn.microsoft.com/entra | entra | the cluster's token for the workload is proof enough
Logout with the front channel, lenient about hints, strict about URIs | learn.microsoft.com/entra | entra | logout loads the front-channel URI, and goes on without a hint when the session knows the URI
No admission: AADSTS501051 and AADSTS65001 | docs.nais.io | entra-refusals | on-behalf-of that no inbound rule admits
Nobody without an assigned group: AADSTS50105 | docs.nais.io | entra-refusals | somebody in no group with access
Only accounts of the tenant: AADSTS50020 | docs.nais.io | entra-refusals | somebody of another tenant
Only access tokens of persons can be exchanged: AADSTS240002, 7000114, 500131 | learn.microsoft.com/entra | entra-refusals | on-behalf-of with an ID token
Microsoft's own library signs in, refreshes, exchanges | @azure/msal-node | msal | signs in, refreshes, and gets tokens for itself and on behalf of, with 
The library understands the error bodies | @azure/msal-node | msal | understands the refusals: the library reports the code and the correlation id
Request objects and pushed requests are not there, and ignored | learn.microsoft.com/entra | entra-refusals | request objects: 
Graph's userinfo for tokens that are for Graph, with the ID token's \`sub\` | learn.microsoft.com/entra | entra-refusals | answers tokens that are for Graph, with the ID token's sub, and no others
Implicit and hybrid flow, device code, resource owner password | learn.microsoft.com/entra | - | refused: Portvakt has no use for them
The group list that an overage points to (Graph \`getMemberObjects\`) | learn.microsoft.com/entra | - | the pointer is there, nothing answers it
Conditional access: claims challenges and step-up | learn.microsoft.com/entra | - | no policy of that kind
Consent by users and administrators | learn.microsoft.com/entra | - | consent is the access policy's
Pages behind \`error_uri\` | learn.microsoft.com/entra | - | they lead nowhere

# Maskinporten
Issuer with a slash at the end; RFC 8414 metadata only | docs.digdir.no | maskinporten | the issuer ends with a slash, and there is only RFC 8414 metadata
Tokens about an organisation: \`consumer\`, no \`sub\`, no \`aud\` | docs.digdir.no | maskinporten | a grant becomes a token about the organisation, without sub and aud
\`resource\` becomes \`aud\` | docs.digdir.no | maskinporten | resource becomes aud, one or several
\`consumer_org\`: \`supplier\` and \`delegation_source\` | docs.digdir.no | maskinporten | a supplier with a delegation acts for the consumer
System users by authorization_details | docs.digdir.no; RFC 9396 | maskinporten | RFC 9396: a system user's party comes back with its ids
\`iat\` within ten seconds | docs.digdir.no | maskinporten | iat may be ten seconds off, either way
A grant is good once: MP-012 | docs.digdir.no | maskinporten | MP-012: a grant used twice, with jti and without
Delegation is asked for: MP-251 | docs.digdir.no | maskinporten | MP-251: a scope that the consumer may use, but did not delegate
An enterprise certificate (\`x5c\`) is proof: chain, validity, organisation; \`client_amr\` \`virksomhetssertifikat\` | docs.digdir.no | maskinporten-more | x5c: an enterprise certificate with 
Certificates that are not good: MP-120, MP-122, MP-123 | docs.digdir.no | maskinporten-more | MP-122: another organisation's certificate
\`iss_onbehalfof\`: \`consumer\` and \`supplier\` by registration | docs.digdir.no | maskinporten-more | iss_onbehalfof: the registration names the organisation; the client is its supplier
Changes of scopes take a while (settable) | docs.digdir.no | maskinporten-more | a change of scopes takes effect after the delay that was set
Keys and signatures: MP-121, MP-124 | docs.digdir.no | maskinporten | refuses 
MP-201: a scope for another kind of integration | docs.digdir.no | - | registrations do not know kinds of integration
Client keys live for a year | docs.digdir.no | - | keys live as long as they are registered
Revocation lists of enterprise certificates | docs.digdir.no | - | certificates are judged without them

# Any OpenID provider
An issuer at any path, with keys of its own | OpenID Connect Core | openid | issuers share nothing: neither keys, nor codes, nor tokens
Claims by scope | OpenID Connect Core | openid | claims by scope: without profile and email there are none of theirs
Public clients with PKCE only | RFC 9700 | openid | a public client signs in with PKCE, and not without (RFC 9700 section 2.1.1)
Access tokens are typed \`at+jwt\` | RFC 9068 | openid | signs in at the issuer
\`id_token_hint\`: whoever it names, or nobody | OpenID Connect Core 3.1.2.1 | openid-authorization | OpenID Connect Core section 3.1.2.1: id_token_hint of somebody else is login_required
The \`claims\` parameter, essential claims and a wished \`sub\` | OpenID Connect Core 5.5 | openid-authorization | OpenID Connect Core section 5.5: the claims parameter asks for single claims, here and there
Errors at the redirect URI, or on a page where nobody may be redirected | RFC 6749 | openid-authorization | RFC 6749 section 4.1.2.1: an unknown client is a page, and redirects nobody
Answers by query, fragment and form, \`iss\` in each | RFC 9207; Form Post | openid-authorization | RFC 9207 section 2: iss is in the answer, with a code and with an error
Userinfo by GET and POST | OpenID Connect Core 5.3 | openid-tokens | OpenID Connect Core section 5.3: by GET and POST in the header, and by POST in the form; sub is the ID token's
A code used twice revokes what came of it | RFC 6749 | openid-tokens | RFC 6749 section 4.1.2: a code used twice is refused, and its tokens are revoked, also when it is late
DPoP | RFC 9449 | openid-tokens | RFC 9449 section 5: a proof binds the tokens; userinfo wants it again, once, with the right token
Key rotation: old tokens verify, new ones have a new \`kid\` | OpenID Connect Core 10.1.1 | openid-metadata | OpenID Connect Core section 10.1.1: after a rotation new tokens have a new kid, and old ones still verify
Logout by hint, or after a question; front and back channel | RP-Initiated, Front- and Back-Channel Logout | openid-logout | OpenID Connect RP-Initiated Logout section 2: no leaves the session as it is
Dynamic client registration | OpenID Connect Registration | - | registrations come by the control API
Implicit and hybrid flow | OpenID Connect Core 3.2, 3.3 | - | refused: Portvakt has no use for them
Aggregated and distributed claims, encrypted tokens | OpenID Connect Core 5.6, 10.2 | - | not served, and not in the metadata
`;

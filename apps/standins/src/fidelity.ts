// What each stand-in does as its provider does, where the provider says so, and the test that shows it. A test of this
// room fails when a named test is gone; docs/fidelity.md is printed from here.

type Row = readonly [behaviour: string, source: string, file: string, test: string];

const openidCore = "OpenID Connect Core";
const digdir = "docs.digdir.no";
const entraDocs = "learn.microsoft.com/entra";
const platform = "docs.nais.io";

/** Rows by provider. */
export const fidelity = {
  "ID-porten": [
    [
      "Code flow with PAR, PKCE S256 and private_key_jwt; `iss` in the answer",
      `${digdir}; RFC 9126, 7636, 9207`,
      "idporten",
      "signs in by PAR, PKCE and private_key_jwt; the tokens say who, how, and for whom",
    ],
    [
      "`aud` is the resource, or `unspecified`; `sub` is pairwise",
      digdir,
      "idporten",
      "a token without a resource is for nobody in particular, and sub differs between clients",
    ],
    ["A foreign eID may have no `pid`", digdir, "idporten", "a foreign eID has no pid"],
    [
      "PKCE, `state` and `nonce` are forced; `plain` is refused",
      digdir,
      "idporten-refusals",
      "RFC 7636 section 4.4.1: no code_challenge",
    ],
    [
      "Levels: unknown ones are refused, and too low a person does not get in",
      digdir,
      "idporten-refusals",
      "a level above the persona's",
    ],
    [
      "A pushed request lives 120 seconds, for one use by its own client, and nothing may stand beside it",
      `${digdir}; RFC 9126`,
      "idporten-refusals",
      "section 7.3: is good once, for its own client, for 120 seconds, with nothing beside it",
    ],
    [
      "Request object by value, signed by the client",
      `${digdir}; RFC 9101`,
      "idporten-refusals",
      "section 6.3: only what is inside counts",
    ],
    [
      "Single sign-on for 30 minutes, prolonged by use, 120 at most",
      digdir,
      "idporten",
      "a session ends 30 minutes after its last use, and after 120 minutes in any case",
    ],
    [
      "`prompt`, `max_age` and a higher level ask again",
      `${digdir}; ${openidCore}`,
      "idporten",
      "a session signs in without a page, until prompt=login, a higher level, or max_age asks for more",
    ],
    [
      "Isolated single sign-on for a client",
      digdir,
      "idporten",
      "an isolated client neither makes nor uses the shared session",
    ],
    [
      "Refresh tokens for one use, with reuse detection; or kept, by registration",
      digdir,
      "idporten",
      "refresh gives a new refresh token; the old one used again ends them all (RFC 9700 section 4.14.2)",
    ],
    [
      "Access tokens by reference, with introspection and revocation",
      `${digdir}; RFC 7662, 7009`,
      "idporten",
      "a token by reference is opaque; introspection opens it, revocation and logout close it",
    ],
    [
      "Logout by `id_token_hint` or `client_id`, to registered URIs only",
      digdir,
      "idporten-refusals",
      "takes an ID token that has expired as a hint",
    ],
    [
      "Front-channel logout to every client of the session, with `iss` and `sid`",
      digdir,
      "idporten",
      "logout tells every client of the session, by front channel and back channel, and goes on",
    ],
    [
      "`response_mode` query, fragment, form_post",
      digdir,
      "idporten",
      "response_mode form_post and fragment",
    ],
    [
      "Client assertions: signature, audience, times, one use",
      `${digdir}; RFC 7523`,
      "idporten-refusals",
      "RFC 7523 section 3: a jti used twice",
    ],
    [
      "A code is good once, and its second use revokes the first's tokens",
      "RFC 6749",
      "idporten-refusals",
      "RFC 6749 section 4.1.2: used twice, and then the first tokens are revoked",
    ],
  ],
  "Entra ID": [
    [
      "Issuer, endpoints and keys by tenant; `common` with a placeholder",
      entraDocs,
      "entra",
      "the layout is the provider's: issuer, endpoints and keys by tenant",
    ],
    [
      "The claims of v2.0 tokens, `NAVident`, `azp_name` and groups among them; 3900 seconds from `iat` to `exp`",
      `${entraDocs}; ${platform}`,
      "entra",
      "signs an employee in; the tokens carry what the platform's applications read",
    ],
    [
      "On-behalf-of: scopes by the access policy, for the same person",
      `${entraDocs}; ${platform}`,
      "entra",
      "on behalf of: a new token for the next application, for the same person",
    ],
    [
      "Client credentials: `idtyp` app, `sub` is `oid`, roles by the access policy",
      `${entraDocs}; ${platform}`,
      "entra",
      "client credentials: roles by the access policy, sub is oid, idtyp app",
    ],
    [
      "A refresh token can be used again, and asks for other resources",
      entraDocs,
      "entra",
      "refresh gives a new refresh token and goes on taking the old one; it can ask for another resource",
    ],
    [
      "Groups assigned to the application; overage with `_claim_names`",
      entraDocs,
      "entra",
      "groups: those assigned to the application; with more than 200 a pointer instead",
    ],
    [
      "Federated workload assertions",
      entraDocs,
      "entra",
      "the cluster's token for the workload is proof enough",
    ],
    [
      "Logout with the front channel, lenient about hints, strict about URIs",
      entraDocs,
      "entra",
      "logout loads the front-channel URI, and goes on without a hint when the session knows the URI",
    ],
    [
      "No admission: AADSTS501051 and AADSTS65001",
      platform,
      "entra-refusals",
      "on-behalf-of that no inbound rule admits",
    ],
    [
      "Nobody without an assigned group: AADSTS50105",
      platform,
      "entra-refusals",
      "somebody in no group with access",
    ],
    ["Only accounts of the tenant: AADSTS50020", platform, "entra-refusals", "somebody of another tenant"],
    [
      "Only access tokens of persons can be exchanged: AADSTS240002, 7000114, 500131",
      entraDocs,
      "entra-refusals",
      "on-behalf-of with an ID token",
    ],
    [
      "Microsoft's own library signs in, refreshes, exchanges",
      "@azure/msal-node",
      "msal",
      "signs in, refreshes, and gets tokens for itself and on behalf of, with ",
    ],
    [
      "The library understands the error bodies",
      "@azure/msal-node",
      "msal",
      "understands the refusals: the library reports the code and the correlation id",
    ],
  ],
  Maskinporten: [
    [
      "Issuer with a slash at the end; RFC 8414 metadata only",
      digdir,
      "maskinporten",
      "the issuer ends with a slash, and there is only RFC 8414 metadata",
    ],
    [
      "Tokens about an organisation: `consumer`, no `sub`, no `aud`",
      digdir,
      "maskinporten",
      "a grant becomes a token about the organisation, without sub and aud",
    ],
    ["`resource` becomes `aud`", digdir, "maskinporten", "resource becomes aud, one or several"],
    [
      "`consumer_org`: `supplier` and `delegation_source`",
      digdir,
      "maskinporten",
      "a supplier with a delegation acts for the consumer",
    ],
    [
      "System users by authorization_details",
      `${digdir}; RFC 9396`,
      "maskinporten",
      "RFC 9396: a system user's party comes back with its ids",
    ],
    ["`iat` within ten seconds", digdir, "maskinporten", "iat may be ten seconds off, either way"],
    [
      "A grant is good once: MP-012",
      digdir,
      "maskinporten",
      "MP-012: a grant used twice, with jti and without",
    ],
    [
      "Delegation is asked for: MP-251",
      digdir,
      "maskinporten",
      "MP-251: a scope that the consumer may use, but did not delegate",
    ],
  ],
  "Any OpenID provider": [
    [
      "An issuer at any path, with keys of its own",
      openidCore,
      "openid",
      "issuers share nothing: neither keys, nor codes, nor tokens",
    ],
    [
      "Claims by scope",
      openidCore,
      "openid",
      "claims by scope: without profile and email there are none of theirs",
    ],
    [
      "Public clients with PKCE only",
      "RFC 9700",
      "openid",
      "a public client signs in with PKCE, and not without (RFC 9700 section 2.1.1)",
    ],
    ["Access tokens are typed `at+jwt`", "RFC 9068", "openid", "signs in at the issuer "],
  ],
} as const satisfies Record<string, readonly Row[]>;

/** What is known to differ from the provider. */
const differences: readonly string[] = [
  "ID-porten sends no back-channel logout; the stand-in does, to a client that registers a URI for it.",
  "ID-porten's pages for a person's own eID are replaced by one page with personas; nn and se are shown as nb.",
  "Maskinporten: keys by `kid` only, no `x5c`, no `iss_onbehalfof`; changes of scopes count at once.",
  "Entra ID: no implicit or hybrid flow, no device code, no Graph; error links lead nowhere.",
  "DPoP is not there for any of them.",
];

/** docs/fidelity.md. */
export function fidelityMarkdown(): string {
  const sections = Object.entries(fidelity).map(([provider, rows]) => {
    const lines = rows.map(
      ([behaviour, source, file, name]) =>
        `| ${behaviour} | ${source} | \`${file}.test.ts\`: ${name.trim()} |`,
    );
    return `## ${provider}\n\n| Behaviour | Source | Shown by |\n|---|---|---|\n${lines.join("\n")}\n`;
  });
  const known = differences.map((difference) => `- ${difference}`).join("\n");
  return `# How true the stand-ins are\n\nWhat each stand-in does as its provider does. The tests are in \`apps/standins/test/\`; every refusal of the providers has a row of its own there.\n\n${sections.join("\n")}\n## Known differences\n\n${known}\n`;
}

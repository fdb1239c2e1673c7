// What specifications ask of the token exchange server. Most rows name the test that proves them over HTTP.

import type { Requirement, Specification } from "./table.ts";

const folder = "apps/tokenx/test";
type Row = readonly [section: string, says: string, test: string];

function tested(file: string, level: "must" | "should" | "may", rows: readonly Row[]): Requirement[] {
  return rows.map(([section, says, test]) => ({ section, level, says, test: [file, test] }));
}

const rfc8693: readonly Requirement[] = [
  ...tested(`${folder}/requirements.test.ts`, "must", [
    [
      "2.2.1",
      "issued_token_type names what was issued",
      "RFC 8693 section 2.2.1: issued_token_type is the type that was asked for, an access token where none was",
    ],
    [
      "4.1",
      "act nests prior actors, and the current one is outermost",
      "RFC 8693 section 4.1: the actor stands outermost, the actors before it inside, and client_id is the actor (4.3)",
    ],
  ]),
  ...tested(`${folder}/exchange.test.ts`, "must", [
    [
      "2.1",
      "a requested_token_type that is not made here is refused",
      "RFC 8693 section 2.1: a requested_token_type that is not made here",
    ],
    [
      "2.1",
      "actor_token_type without actor_token is refused",
      "RFC 8693 section 2.1: actor_token_type without actor_token",
    ],
    [
      "2.1",
      "several targets that cannot be served together are refused",
      "RFC 8693 section 2.1: two audiences are invalid_target, not one of them",
    ],
    [
      "2.2.1",
      "scope is told where it is not what was asked for",
      "RFC 8693 section 2.2.1: scope is all of the subject's, or the part that was asked for",
    ],
    [
      "4.4",
      "may_act binds the token to the actor it names",
      "RFC 8693 section 4.4: may_act that names another actor",
    ],
  ]),
];

export const rfc7523bis: Specification = {
  name: "RFC 7523bis",
  title: "Client assertions for one server only",
  requirements: tested("packages/issuer/src/client-authentication.test.ts", "must", [
    [
      "4",
      "the token endpoint is not taken for the issuer identifier",
      "RFC 7523bis: the token endpoint as audience",
    ],
    ["4", "an assertion for a second server too is refused", "RFC 7523bis: a second audience"],
    ["4", "the audience is one string, no array", "RFC 7523bis: the audience in an array"],
    ["4", "the explicit type is known", "RFC 7523bis: an assertion of explicit type"],
    [
      "4",
      "a JWT of another explicit type is no assertion",
      "RFC 8725 section 3.11: an access token as assertion",
    ],
  ]),
};

export const rfc7591: Specification = {
  name: "RFC 7591",
  title: "Dynamic client registration",
  requirements: [
    ...tested(`${folder}/registration.test.ts`, "must", [
      [
        "2.3",
        "a software statement is taken once",
        "RFC 7591 section 2.3: a software statement is taken once",
      ],
      [
        "2",
        "metadata that is not served is replaced, and the answer says by what",
        "RFC 7591 section 2: metadata that is not served is replaced, and the answer says by what",
      ],
      [
        "3.2.1",
        "the answer holds all that is registered, and the statement unchanged",
        "RFC 7591 section 3.2.1: a registration is answered with the client as it is, and can be read and listed",
      ],
      [
        "3.2.2",
        "a statement whose signature is another's is invalid",
        "RFC 7591 section 3.2.2: a software statement of another signer is refused",
      ],
      [
        "3.2.2",
        "a statement of an issuer that is not trusted is refused",
        "RFC 7591 section 3.2.2: a software statement of another issuer is refused",
      ],
      [
        "3.2.2",
        "a statement that has expired is refused",
        "RFC 7591 section 3.2.2: a software statement that has expired is refused",
      ],
      [
        "3.2.2",
        "metadata without keys is invalid_client_metadata",
        "RFC 7591 section 3.2.2: metadata without keys is refused, in the baseline's words",
      ],
      [
        "3.2.2",
        "metadata with a private key is refused",
        "RFC 7591 section 3.2.2: metadata with a private key is refused",
      ],
      [
        "3.2.2",
        "metadata with a symmetric key is refused",
        "RFC 7591 section 3.2.2: metadata with a symmetric key is refused",
      ],
      [
        "3",
        "registration is open to registrars only",
        "weak point 4.4.8: a self-signed token that lives over an hour",
      ],
    ]),
    ...tested(`${folder}/bound.test.ts`, "must", [
      [
        "2.3",
        "what the software statement says takes precedence over the metadata beside it",
        "RFC 7591 section 2.3: of the metadata and the software statement, what the statement says counts",
      ],
    ]),
    ...tested(`${folder}/requirements.test.ts`, "must", [
      [
        "3.2.1",
        "the answer is 201 with JSON that is not cached",
        "RFC 7591 section 3.2.1: a registration is answered with 201, in JSON that is not cached",
      ],
    ]),
  ],
};

export const rfc7662: Specification = {
  name: "RFC 7662",
  title: "Token introspection",
  requirements: [
    ...tested(`${folder}/issued-tokens.test.ts`, "must", [
      ["2.1", "the caller authenticates", "RFC 7662 section 2.1: nobody is answered without authenticating"],
      [
        "2.1",
        "a request without token is invalid_request",
        "RFC 7662 section 2.1: no token is invalid_request",
      ],
      [
        "2.2",
        "an active token is answered with what it says",
        "RFC 7662 section 2.2: the claims are those of the token, act among them, for the target and for the client it was issued to",
      ],
      [
        "2.2",
        "a token of another issuer is not active",
        "RFC 7662 section 2.2: a token of another issuer is not active",
      ],
      [
        "2.2",
        "what is no token is not active, and no error",
        "RFC 7662 section 2.2: what is no token is not active",
      ],
      [
        "2.2",
        "a token that was tampered with is not active",
        "RFC 7662 section 2.2: a token with a changed payload is not active",
      ],
      ["4", "an expired token is not active", "an expired token is not active"],
      [
        "4",
        "a caller whom a token does not concern learns nothing of it",
        "RFC 7662 section 4: to an application that the token does not concern it is not active, and nothing else is said",
      ],
    ]),
    ...tested(`${folder}/independent.test.ts`, "must", [
      [
        "2",
        "a client that is not ours understands the answer",
        "RFC 7662 section 2: the target introspects the token that it was sent",
      ],
    ]),
  ],
};

export const rfc7009: Specification = {
  name: "RFC 7009",
  title: "Token revocation",
  requirements: [
    ...tested(`${folder}/issued-tokens.test.ts`, "must", [
      [
        "2.1",
        "a revoked token is of no use any more",
        "RFC 7009 section 2.1: a revoked token is inactive, and exchanged no more",
      ],
      [
        "2.1",
        "a client revokes its own tokens only",
        "RFC 7009 section 2.1: only the client that a token was issued to may revoke it",
      ],
      [
        "2.2",
        "an invalid token is answered with 200",
        "RFC 7009 section 2.2: what is no token is answered as if it were",
      ],
    ]),
    ...tested(`${folder}/outage.test.ts`, "may", [
      [
        "2.2.1",
        "503 where the token could not be revoked, so that the client tries again",
        "RFC 7009 section 2.2.1: revocation says 503, and the token is of no use here all the same",
      ],
    ]),
    ...tested(`${folder}/requirements.test.ts`, "must", [
      [
        "2.1",
        "the client authenticates first",
        "RFC 7009 section 2.1: an access token is not the client's whose key did not sign the request",
      ],
    ]),
    ...tested(`${folder}/independent.test.ts`, "must", [
      [
        "2",
        "a client that is not ours revokes",
        "RFC 7009 section 2: the client revokes its token, and the target sees it",
      ],
    ]),
  ],
};

const rfc8414: readonly Requirement[] = [
  ...tested(`${folder}/requirements.test.ts`, "must", [
    [
      "3",
      "the server's metadata is where it belongs, as JSON, with its issuer",
      "RFC 8414 section 3: the metadata is JSON at the well-known place, and names this issuer to the letter",
    ],
    [
      "2",
      "what the server's metadata names is there",
      "RFC 8414 section 2: every endpoint that the metadata names is there",
    ],
  ]),
  ...tested(`${folder}/exchange.test.ts`, "must", [
    [
      "2",
      "the server's metadata names nothing that is not there",
      "RFC 8414 section 2: the metadata names what there is, and no authorization endpoint",
    ],
  ]),
];

export const rfc8707: Specification = {
  name: "RFC 8707",
  title: "Resource indicators",
  requirements: tested(`${folder}/exchange.test.ts`, "must", [
    [
      "2",
      "resource names the target, and the token is for it alone",
      "RFC 8707 section 2: resource names a target by its id, as audience does, also beside it",
    ],
    [
      "2",
      "a resource is an absolute URI",
      "RFC 8707 section 2: a resource that is no absolute URI is refused",
    ],
    ["2", "a resource has no fragment", "RFC 8707 section 2: a resource with a fragment is refused"],
    [
      "2",
      "an unknown resource is invalid_target",
      "RFC 8707 section 2: a resource that nobody registered is refused",
    ],
    [
      "2",
      "several resources that cannot share a token are invalid_target",
      "RFC 8707 section 2: a resource beside another audience is refused",
    ],
    [
      "2.2",
      "a resource that the client may not reach is invalid_target",
      "RFC 8707 section 2.2: a resource that does not admit the caller is refused",
    ],
  ]),
};

export const rfc9068: Specification = {
  name: "RFC 9068",
  title: "JWT profile for access tokens",
  requirements: tested(`${folder}/requirements.test.ts`, "must", [
    [
      "2.1",
      "typ is at+jwt, signed, RS256 at least",
      "RFC 9068 section 2.1: a target that wants them gets tokens of typ at+jwt, signed by a published key",
    ],
    [
      "2.2",
      "iss, exp, aud, sub, client_id, iat and jti are there",
      "RFC 9068 section 2.2: an access token has iss, exp, aud, sub, client_id, iat and jti",
    ],
    [
      "2.2.1",
      "acr, amr and auth_time tell of the original sign-in",
      "RFC 9068 section 2.2.1: acr, amr and auth_time are those of the sign-in",
    ],
    [
      "3",
      "aud is the resource that was asked for",
      "RFC 9068 section 3: the audience of the token is the one that was asked for",
    ],
  ]),
};

export const rfc9449: Specification = {
  name: "RFC 9449",
  title: "Demonstrating proof of possession (DPoP)",
  requirements: [
    ...tested(`${folder}/bound.test.ts`, "must", [
      [
        "5",
        "a token is bound to the key of the proof, and of type DPoP",
        "RFC 9449 section 5: with a proof the token is bound to its key, and says so",
      ],
      [
        "5",
        "without a proof the token is of type Bearer",
        "RFC 9449 section 5: without one it is a bearer token",
      ],
      [
        "5",
        "who takes bound tokens only is sent no others",
        "RFC 9449 section 5: a target that takes bound tokens only gets no others",
      ],
      [
        "5.2",
        "a client registered with dpop_bound_access_tokens is refused without a proof",
        "RFC 9449 section 5.2: dpop_bound_access_tokens in the metadata, and the client gets bound tokens only",
      ],
      ["4.3", "alg is an asymmetric one", "RFC 9449 section 4.3: a proof whose alg is none is refused"],
      ["4.3", "one proof only", "RFC 9449 section 4.3: a second proof beside the first is refused"],
      ["4.3", "a proof is a well-formed JWT", "RFC 9449 section 4.3: a proof that is no JWT is refused"],
      ["4.3", "typ is dpop+jwt", "RFC 9449 section 4.3: a proof of another type is refused"],
      ["4.3", "the proof brings its key", "RFC 9449 section 4.3: a proof without its key is refused"],
      ["4.3", "the key is a public one", "RFC 9449 section 4.3: a proof with a private key is refused"],
      [
        "4.3",
        "the signature is that key's",
        "RFC 9449 section 4.3: a proof signed by another key than it brings is refused",
      ],
      ["4.3", "htm is the request's method", "RFC 9449 section 4.3: a proof for another method is refused"],
      ["4.3", "htu is the request's address", "RFC 9449 section 4.3: a proof for another address is refused"],
      ["4.3", "iat is not long ago", "RFC 9449 section 4.3: a proof made over a minute ago is refused"],
      ["4.3", "iat is not ahead", "RFC 9449 section 4.3: a proof made in the future is refused"],
      ["4.3", "jti is there", "RFC 9449 section 4.3: a proof without jti is refused"],
      ["11.1", "a proof is taken once", "RFC 9449 section 11.1: a proof is accepted once"],
    ]),
    ...tested(`${folder}/independent.test.ts`, "must", [
      [
        "5",
        "a client that is not ours gets a bound token",
        "RFC 9449 section 5: a proof binds the token to the client's key",
      ],
    ]),
  ],
};

export const authzen: Specification = {
  name: "AuthZEN 1.0",
  title: "Authorization API",
  requirements: tested(`${folder}/access.test.ts`, "must", [
    [
      "6",
      "an evaluation is answered with a decision",
      "section 6: may A get a token for B, in the same words as the token endpoint would decide",
    ],
    [
      "7",
      "evaluations share defaults, and are answered in order",
      "section 7: several questions at once, with defaults",
    ],
    [
      "7.1",
      "without a list of evaluations it is a single question",
      "section 7.1: without a list of evaluations it is one question, and has one answer",
    ],
    ["9", "the metadata names the endpoints", "section 9: the decision point's metadata names its endpoints"],
    ["5", "a question of another kind is answered false", "a question that is none of ours is answered no"],
    [
      "11",
      "nobody is answered without credentials; malformed questions are 400",
      "nobody is answered without a registrar's token, and nothing that is malformed",
    ],
    ["11", "who may not know is told nothing", "another cluster's registrar learns nothing"],
  ]),
};

/** Not a specification, but what RFC 8693 section 5 and its later discussion warn of. */
export const delegationAttacks: Specification = {
  name: "Delegation attacks",
  title: "What a chain of exchanges must withstand",
  requirements: [
    ...tested(`${folder}/exchange.test.ts`, "must", [
      [
        "-",
        "chain splicing by a stolen subject token",
        "chain splicing: a token made for another application in the chain is not the caller's to exchange",
      ],
      [
        "-",
        "foreign audience",
        "foreign audience: a token that was made for another application, by us or by the provider, is not exchanged",
      ],
      [
        "-",
        "self-extension of life by A-B-A",
        "self-extension of life by A-B-A: exchanging back and forth extends no life and forgets no actor",
      ],
      [
        "-",
        "claims injected through the subject token",
        "claims injected through the subject token do not become this server's own",
      ],
      ["-", "a chain without end", "a chain ends at 8 actors"],
    ]),
    ...tested(`${folder}/bound.test.ts`, "must", [
      [
        "-",
        "dropped actor_token",
        "RFC 8693 section 4.4: dropped actor_token, leaving it out does not get around may_act",
      ],
      [
        "-",
        "chain splicing by an actor_token that names another",
        "RFC 8693 section 2.1: delegation chain splicing, an actor_token that names another client, signed by this one is refused",
      ],
    ]),
    ...tested(`${folder}/properties.test.ts`, "must", [
      [
        "-",
        "any sequence of exchanges, by random walks",
        "no sequence of exchanges widens scope, raises acr, lengthens life past the first token, or loses an actor",
      ],
    ]),
  ],
};

/** Rows of tables that stand elsewhere: what those specifications ask of the server. */
export const serverRows = { rfc8414, rfc8693 } as const;

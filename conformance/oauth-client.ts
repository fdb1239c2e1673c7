// OAuth as a client speaks it: PKCE, assertions, token exchange.

import assert from "node:assert/strict";
import {
  buildTokenRequest,
  createPkce,
  grantTypes,
  peekJwt,
  privateKeyJwt,
  publicClient,
  tokenTypes,
  verifyPkce,
} from "@portvakt/oauth";
import { at, clientId, issuer, now, signer } from "./subjects.ts";
import type { Specification } from "./table.ts";

const auth = privateKeyJwt({ clientId, signer, audience: issuer, now });

async function assertion(): Promise<{
  claims: Record<string, unknown>;
  params: URLSearchParams;
  jwt: string;
}> {
  const params = new URLSearchParams();
  await auth({ params, headers: new Headers() });
  const jwt = params.get("client_assertion") ?? "";
  return { claims: peekJwt(jwt)?.claims ?? {}, params, jwt };
}

export const rfc7636: Specification = {
  name: "RFC 7636",
  title: "Proof Key for Code Exchange",
  requirements: [
    {
      section: "B",
      level: "must",
      says: "the example's verifier matches its challenge",
      run: async () => {
        assert.ok(
          await verifyPkce(
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
          ),
        );
      },
    },
    {
      section: "4.1",
      level: "must",
      says: "a verifier has 43 to 128 unreserved characters",
      run: async () => {
        const { verifier } = await createPkce();
        assert.match(verifier, /^[A-Za-z0-9._~-]{43,128}$/u);
      },
    },
    {
      section: "4.1",
      level: "should",
      says: "each request has its own verifier",
      run: async () => {
        assert.notEqual((await createPkce()).verifier, (await createPkce()).verifier);
      },
    },
    {
      section: "4.2",
      level: "must",
      says: "a client that can use S256 uses S256",
      run: async () => {
        assert.equal((await createPkce()).method, "S256");
      },
    },
    {
      section: "4.6",
      level: "must",
      says: "another verifier than the challenge's is refused",
      run: async () => {
        const [one, other] = [await createPkce(), await createPkce()];
        assert.ok(await verifyPkce(one.verifier, one.challenge));
        assert.ok(!(await verifyPkce(other.verifier, one.challenge)));
      },
    },
    {
      section: "4.6",
      level: "must",
      says: "the challenge itself is no verifier (plain is not served)",
      run: async () => {
        const { challenge } = await createPkce();
        assert.ok(!(await verifyPkce(challenge, challenge)));
      },
    },
    {
      section: "4.1",
      level: "must",
      says: "a verifier that is too short or has other characters is refused",
      run: async () => {
        const { challenge } = await createPkce();
        for (const verifier of ["", "a".repeat(42), "a".repeat(129), `${"a".repeat(42)}+`]) {
          assert.ok(!(await verifyPkce(verifier, challenge)));
        }
      },
    },
  ],
};

export const rfc7523: Specification = {
  name: "RFC 7523",
  title: "JWTs for client authentication and authorization grants",
  requirements: [
    {
      section: "2.2",
      level: "must",
      says: "client_assertion_type is jwt-bearer",
      run: async () => {
        const { params } = await assertion();
        assert.equal(
          params.get("client_assertion_type"),
          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        );
      },
    },
    {
      section: "3, rules 1 and 2",
      level: "must",
      says: "iss and sub of a client's assertion are its client_id",
      run: async () => {
        const { claims } = await assertion();
        assert.deepEqual([claims["iss"], claims["sub"]], [clientId, clientId]);
      },
    },
    {
      section: "3, rule 3",
      level: "must",
      says: "aud identifies the authorization server, and nobody else",
      run: async () => {
        assert.equal((await assertion()).claims["aud"], issuer);
      },
    },
    {
      section: "3, rule 4",
      level: "must",
      says: "exp is there, and soon",
      run: async () => {
        const exp = Number((await assertion()).claims["exp"]);
        assert.ok(exp > at && exp <= at + 60);
      },
    },
    {
      section: "3, rule 7",
      level: "may",
      says: "each assertion has a jti of its own",
      run: async () => {
        assert.notEqual((await assertion()).claims["jti"], (await assertion()).claims["jti"]);
      },
    },
    {
      section: "3, rule 9",
      level: "must",
      says: "the assertion is signed, and its key is named",
      run: async () => {
        const { jwt } = await assertion();
        assert.equal(peekJwt(jwt)?.header["kid"], signer.kid);
        assert.match(jwt, /\.[\w-]{86}$/u);
      },
    },
    ...(
      [
        [
          "2.2",
          "another client_assertion_type is refused",
          "RFC 7523 section 2.2: another client_assertion_type",
        ],
        [
          "3, rule 2",
          "an assertion whose iss is not its sub is refused",
          "RFC 7523 section 3 rule 2: iss is not sub",
        ],
        [
          "3, rule 3",
          "an assertion for another server is refused",
          "RFC 7523 section 3 rule 3: another audience",
        ],
        [
          "3, rule 4",
          "an expired assertion is refused",
          "RFC 7523 section 3 rule 4: expired beyond the skew",
        ],
        [
          "3, rule 5",
          "an assertion that is not valid yet is refused",
          "RFC 7523 section 3 rule 5: not valid yet",
        ],
        [
          "3, rule 6",
          "an assertion issued in the future is refused",
          "RFC 7523 section 3 rule 6: issued in the future",
        ],
        [
          "3, rule 9",
          "an assertion by another client's key is refused",
          "RFC 7523 section 3 rule 9: another client's key",
        ],
        ["3, rule 10", "an assertion that is no JWT is refused", "RFC 7523 section 3: not a JWT"],
      ] as const
    ).map(([section, says, name]) => ({
      section,
      level: "must" as const,
      says,
      test: ["packages/issuer/src/client-authentication.test.ts", name] as const,
    })),
  ],
};

async function exchange(): Promise<URLSearchParams> {
  const request = await buildTokenRequest({
    endpoint: `${issuer}/token`,
    auth: publicClient({ clientId }),
    params: {
      grant_type: grantTypes.tokenExchange,
      subject_token_type: tokenTypes.jwt,
      audience: ["a", "b"],
      scope: undefined,
    },
  });
  return new URLSearchParams(await request.text());
}

export const rfc8693: Specification = {
  name: "RFC 8693",
  title: "Token exchange",
  requirements: [
    {
      section: "2.1",
      level: "must",
      says: "the grant type and token types have their registered names",
      run: async () => {
        const form = await exchange();
        assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
        assert.equal(form.get("subject_token_type"), "urn:ietf:params:oauth:token-type:jwt");
      },
    },
    {
      section: "2.1",
      level: "may",
      says: "audience may be sent several times",
      run: async () => {
        assert.deepEqual((await exchange()).getAll("audience"), ["a", "b"]);
      },
    },
    {
      section: "2.2.2",
      level: "must",
      says: "a target that the policy does not admit is invalid_target",
      test: [
        "packages/issuer/src/token-endpoint.test.ts",
        "RFC 8693 section 2.2.2: what the policy denies is invalid_target, with the decision's id and no more",
      ],
    },
    ...(
      [
        [
          "2.1",
          "an actor is not taken from the request, but authenticated",
          "RFC 8693 section 2.1: an actor_token",
        ],
        [
          "2.1",
          "a subject_token_type that is not served is refused",
          "RFC 8693 section 2.1: a subject_token_type that is not served",
        ],
        [
          "2.2.1",
          "the answer has issued_token_type and token_type; the token keeps sub and gains act (4.1)",
          "RFC 8693 section 2: a chain of two exchanges keeps the citizen, and names who acts for her",
        ],
        [
          "2.2.1",
          "expires_in is the token's, and never beyond the subject token's",
          "RFC 8693 section 2.2.1: expires_in is that of the token, never longer than the subject token's",
        ],
        [
          "2.2.2",
          "a target that is not registered is invalid_target",
          "RFC 8693 section 2.2.2: a target that nobody registered",
        ],
        [
          "2.2.2",
          "a subject token that is no token is invalid_request",
          "RFC 8693 section 2.2.2: a subject token that is none",
        ],
        [
          "2.2.2",
          "a subject token of an issuer that is not trusted is invalid_request",
          "RFC 8693 section 2.2.2: a subject token of nobody known",
        ],
        [
          "2.2.2",
          "a subject token whose signature is wrong is invalid_request",
          "RFC 8693 section 2.2.2: a subject token by another key",
        ],
        [
          "5",
          "a subject token made for another client is not exchanged",
          "RFC 8693 section 2.2.2: a token made for another application of the chain",
        ],
      ] as const
    ).map(([section, says, name]) => ({
      section,
      level: "must" as const,
      says,
      test: ["test/peers/tokenx.test.ts", name] as const,
    })),
  ],
};

// What an API does with the tokens that it gets, and how it says no.

import assert from "node:assert/strict";
import { clientSecretBasic, localKeySet } from "@portvakt/oauth";
import type { JwtClaims } from "@portvakt/oauth";
import { buildIntrospectionRequest, judgeIntrospectionResponse } from "@portvakt/providers";
import { createSdk } from "@portvakt/sdk";
import type { ProtectedResourceMetadata } from "@portvakt/sdk";
import { requireToken } from "@portvakt/sdk/fetch";
import {
  accepted,
  accessTokenClaims,
  at,
  issuer,
  now,
  refused,
  signer,
  stranger,
  token,
  unsigned,
  verify,
} from "./subjects.ts";
import type { Requirement, Specification } from "./table.ts";

const middleware = "packages/sdk/src/middleware/middleware.test.ts";
const boundTokens = "packages/sdk/src/verified/proof.test.ts";

/** An API of TokenX's platform, whose application is named "api". */
const sdk = createSdk({
  env: { TOKEN_X_ISSUER: issuer, TOKEN_X_JWKS_URI: `${issuer}/jwks`, TOKEN_X_CLIENT_ID: "api" },
  now,
  fetch: async () => Response.json({ keys: [signer.publicJwk] }),
});
const guarded = requireToken({ sdk })((_request, caller) => new Response(caller.client));

/** What the API answers to a request. */
async function answered(headers: Record<string, string>, body?: URLSearchParams): Promise<Response> {
  const sent = body === undefined ? {} : { method: "POST", body };
  return guarded(new Request("https://api.example/", { headers, ...sent }));
}

const accessToken = async (change: JwtClaims = {}, header: Record<string, unknown> = {}): Promise<string> =>
  token({ client_id: "caller", ...change }, header);

async function refusedByApi(text: string, code: string): Promise<void> {
  const result = await sdk.validateToken(text);
  assert.equal(result.ok ? "accepted" : result.code, code);
}

const must = (section: string, says: string, run: () => Promise<void>): Requirement => ({
  section,
  level: "must",
  says,
  run,
});

const musts = (
  rows: readonly (readonly [section: string, says: string, file: string, name: string])[],
): Requirement[] =>
  rows.map(([section, says, file, name]) => ({ section, level: "must", says, test: [file, name] }));

export const rfc6750: Specification = {
  name: "RFC 6750",
  title: "Bearer tokens",
  requirements: [
    must(
      "2.1",
      "the token in the Authorization header is taken, whatever case the scheme is in",
      async () => {
        for (const scheme of ["Bearer", "bearer", "BEARER"])
          assert.equal((await answered({ authorization: `${scheme} ${await accessToken()}` })).status, 200);
      },
    ),
    must("2.2", "a token in a form body is not looked at", async () => {
      const body = new URLSearchParams({ access_token: await accessToken() });
      assert.equal((await answered({}, body)).status, 401);
    }),
    must("3", "every refusal for want of a good token is a challenge of the scheme Bearer", async () => {
      const wrong = ["", "Bearer x", "Basic YTpi", `Bearer ${await accessToken({ aud: "other" })}`];
      for (const authorization of wrong)
        assert.match(
          (await answered({ authorization })).headers.get("www-authenticate") ?? "",
          /^Bearer( |$)/,
        );
    }),
    must("5.2", "a token for another resource server is refused", async () =>
      refusedByApi(await accessToken({ aud: "other" }), "wrong_audience"),
    ),
    must("5.3", "what is answered to a bad token is not to be stored, and does not hold it", async () => {
      const text = await accessToken({ exp: at - 60 });
      const response = await answered({ authorization: `Bearer ${text}` });
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.ok(!(await response.text()).includes(text));
    }),
    ...musts([
      [
        "2.3",
        "a token in the query is never looked at",
        middleware,
        "a token in the query is never looked at (RFC 6750 section 2.3)",
      ],
      [
        "3",
        "what a token says cannot break out of the challenge",
        middleware,
        "RFC 6750 section 3: what a token says cannot break out of the challenge",
      ],
      [
        "3.1",
        "a request without credentials is challenged without an error",
        middleware,
        "RFC 6750 section 3.1: no credentials, a challenge without an error",
      ],
      [
        "3.1",
        "a malformed header is invalid_request",
        middleware,
        "RFC 6750 section 3.1: a malformed header is invalid_request",
      ],
      [
        "3.1",
        "an expired token is invalid_token",
        middleware,
        "RFC 6750 section 3.1: an expired token is invalid_token",
      ],
      [
        "3.1",
        "a missing scope is insufficient_scope, and named",
        middleware,
        "RFC 6750 section 3.1: a missing scope is insufficient_scope, and named",
      ],
    ]),
  ],
};

export const rfc9470: Specification = {
  name: "RFC 9470",
  title: "Step-up authentication challenge",
  requirements: musts([
    [
      "3",
      "a level that is too low is insufficient_user_authentication, with acr_values",
      middleware,
      "RFC 9470 section 3: a level that is too low is insufficient_user_authentication with acr_values",
    ],
    [
      "3",
      "an authentication too long ago is answered with max_age",
      middleware,
      "RFC 9470 section 3: an authentication too long ago, with max_age",
    ],
  ]),
};

export const rfc9728: Specification = {
  name: "RFC 9728",
  title: "Protected resource metadata",
  requirements: [
    must("2", "resource is there, and is what the API is known by", async () =>
      assert.equal(described().resource, "https://api.example/v1"),
    ),
    must("2", "authorization_servers are issuers, exactly as tokens have them", async () =>
      assert.deepEqual(described().authorization_servers, [issuer]),
    ),
    must("2", "bearer_methods_supported says that tokens are taken from the header alone", async () =>
      assert.deepEqual(described().bearer_methods_supported, ["header"]),
    ),
    must("2", "scopes are listed where they are told, and no member is empty", async () => {
      assert.deepEqual(described().scopes_supported, ["read"]);
      for (const value of Object.values(described())) assert.ok(value.length > 0);
    }),
    ...musts([
      [
        "5.1",
        "the metadata's address is in the challenge",
        middleware,
        "RFC 9728 section 5.1: the metadata's address is in the challenge",
      ],
    ]),
  ],
};

function described(): ProtectedResourceMetadata {
  return sdk.protectedResourceMetadata({ resource: "https://api.example/v1", scopes: ["read"] });
}

/** Signs what no signer of ours would: the parts as they are given. */
async function refusedHeader(header: Record<string, unknown>): Promise<void> {
  refused(await verify(await token({}, header)), "critical_header");
}

const rfc7515: readonly Requirement[] = [
  must("4.1.11", "crit that names a header of the specification itself is refused", () =>
    refusedHeader({ crit: ["kid"] }),
  ),
  must("4.1.11", "crit that names a header which is not there is refused", () =>
    refusedHeader({ crit: ["nope"] }),
  ),
  must("4.1.11", "crit that is no list is refused", () => refusedHeader({ crit: "exp" })),
  must("4.1.11", "b64, the extension of RFC 7797, is refused with and without crit", async () => {
    await refusedHeader({ b64: false });
    await refusedHeader({ b64: false, crit: ["b64"] });
  }),
  must("4.1.4", "kid that is no string is refused", async () =>
    refused(await verify(unsigned({ alg: "ES256", kid: 1 }, {}, "AA")), "malformed"),
  ),
  must("7.1", "four parts, two parts and five parts are no signed token", async () => {
    const whole = await token();
    for (const text of [`${whole}.`, whole.split(".").slice(0, 2).join("."), `${whole}.x.y`])
      refused(await verify(text), "malformed");
  }),
];

const part = (text: string | Buffer): string => Buffer.from(text).toString("base64url");

const rfc7519: readonly Requirement[] = [
  must("7.2", "claims that are no JSON object are refused", async () => {
    for (const claims of ["[]", '"text"', "1", "null", "{"])
      refused(await verify(`${part('{"alg":"ES256"}')}.${part(claims)}.AA`), "malformed");
  }),
  must("7.2", "an encrypted token (five parts) is refused", async () =>
    refused(await verify(`${part('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.a.b.c.d`), "malformed"),
  ),
  must("4.1.1", "a token without an issuer is refused", async () =>
    refused(await verify(await token({ iss: undefined } as unknown as JwtClaims)), "missing_claim"),
  ),
  must("4.1.6", "an iat that is no number is refused", async () => {
    const result = await verify(await token({ iat: "now" as unknown as number }));
    refused(result, "malformed_claim");
  }),
];

const rfc8725: readonly Requirement[] = [
  must("3.4", "a key that is no point of its curve verifies nothing", async () => {
    const { x, ...jwk } = signer.publicJwk;
    const off = localKeySet([{ ...jwk, x: `${x?.startsWith("A") ? "B" : "A"}${x?.slice(1)}` }]);
    const result = await verify(await token(), { keys: off }).catch(() => undefined);
    assert.notEqual(result?.ok, true);
  }),
  must("3.7", "claims that are not UTF-8 are refused", async () =>
    refused(
      await verify(`${part('{"alg":"ES256"}')}.${part(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))}.AA`),
      "malformed",
    ),
  ),
  must("3.8", "a token by one issuer's key in another's name is refused", async () =>
    refused(await verify(await token({ iss: "https://other.example" })), "wrong_issuer"),
  ),
  must("3.12", "an ID token is not taken for an access token, even with the right audience", async () => {
    await refusedByApi(await accessToken({ nonce: "n" }), "not_an_access_token");
    await refusedByApi(await accessToken({ at_hash: "x" }), "not_an_access_token");
    await refusedByApi(await token(), "not_an_access_token");
  }),
];

const atJwt = { typ: ["at+jwt"] };

const rfc9068: readonly Requirement[] = [
  must("4", "typ is at+jwt or application/at+jwt, in any case of letters", async () => {
    for (const typ of ["at+jwt", "application/at+jwt", "AT+JWT"])
      accepted(await verify(await token({}, { typ }), atJwt));
    for (const typ of ["jwt", "id+jwt", ""])
      refused(await verify(await token({}, { typ }), atJwt), "typ_not_allowed");
  }),
  must("4", "iss is exactly the issuer that is trusted", async () =>
    refused(await verify(await token({ iss: `${issuer}/` }, { typ: "at+jwt" }), atJwt), "wrong_issuer"),
  ),
  must("4", "aud holds the resource server itself", async () => {
    accepted(await verify(await token({ aud: ["other", "api"] }, { typ: "at+jwt" }), atJwt));
    refused(await verify(await token({ aud: "other" }, { typ: "at+jwt" }), atJwt), "wrong_audience");
  }),
  must("4", "alg none is refused", async () =>
    refused(
      await verify(unsigned({ alg: "none", typ: "at+jwt" }, { iss: issuer }), atJwt),
      "alg_not_allowed",
    ),
  ),
  must("4", "keys are those that the issuer publishes", async () =>
    refused(await verify(await stranger.sign(accessTokenClaims, { typ: "at+jwt" }), atJwt), "unknown_key"),
  ),
  must("4", "the token is not expired", async () =>
    refused(await verify(await token({ exp: at - 60 }, { typ: "at+jwt" }), atJwt), "expired"),
  ),
  must("2.2", "without exp, iss, aud or iat it is refused", async () => {
    for (const name of ["exp", "iss", "aud", "iat"] as const) {
      const result = await verify(await token({ [name]: undefined }, { typ: "at+jwt" }), atJwt);
      assert.equal(result.ok, false, name);
    }
  }),
];

const introspected = (status: number, body: unknown) =>
  judgeIntrospectionResponse(Response.json(body, { status }));

const rfc7662: readonly Requirement[] = [
  must(
    "2.1",
    "the question is a form by POST, with the token in it and the asker's own credentials",
    async () => {
      const auth = clientSecretBasic({ clientId: "api", secret: "s" });
      const request = await buildIntrospectionRequest({ endpoint: `${issuer}/introspect`, token: "t", auth });
      assert.equal(request.method, "POST");
      assert.equal(request.headers.get("content-type"), "application/x-www-form-urlencoded");
      assert.match(request.headers.get("authorization") ?? "", /^Basic /);
      assert.equal(new URLSearchParams(await request.text()).get("token"), "t");
      assert.ok(!request.url.includes("?"));
    },
  ),
  must("2.2", "only a boolean true makes a token active", async () => {
    assert.equal((await introspected(200, { active: true })).active, true);
    assert.equal((await introspected(200, { active: false, sub: "x" })).active, false);
    for (const active of ["true", 1, null, undefined])
      await assert.rejects(introspected(200, { active, sub: "x" }));
  }),
  must("2.3", "an error is no answer: nobody's token becomes active or inactive by it", async () => {
    for (const status of [401, 403, 500]) await assert.rejects(introspected(status, { active: true }));
  }),
  ...musts([
    [
      "4",
      "a by-reference token is asked about each time, and what is told of it is judged like a JWT's claims",
      "apps/tokens/test/introspect.test.ts",
      "ID-porten: by-reference tokens are asked about at the provider (RFC 7662), each time",
    ],
  ]),
];

const rfc9449: readonly Requirement[] = [
  ...musts(
    (
      [
        ["4.3", "section 4.3 item 2: no proof but a word"],
        ["4.3", "item 4: another typ"],
        ["4.3", "item 8: another method"],
        ["4.3", "item 9: another address"],
        ["4.3", "item 11: made too long ago"],
        ["4.3", "item 11: made in the future"],
        ["4.3", "item 12: for another token"],
        ["4.3", "item 12: for no token"],
        ["4.3", "item 12: by another key than the token's"],
        ["7.1", "section 7.1: a token that is bound to none"],
        ["11.1", "section 11.1: the same proof is not taken twice, until it has run out of itself"],
        ["7.2", "section 7.2: without a proof it is no bearer token"],
      ] as const
    ).map(([section, name]) => [
      section,
      `at an API, refused: ${name.replace(/^.*?: /, "")}`,
      boundTokens,
      name,
    ]),
  ),
  ...musts(
    [
      "RFC 9449 section 7.1: a bound token with its proof passes",
      "RFC 9449 section 7.1: a wrong proof is invalid_dpop_proof, with algs",
      "RFC 9449 section 4.3: two proofs are none",
      "RFC 9449 section 7.1: a bound token without a proof",
      "RFC 9449 section 7.2: a bound token may not come as a plain bearer token, even with its proof",
      "RFC 9449 section 7.1: both schemes are offered where both are taken",
      "RFC 9449 section 7.1: a plain token where bound ones are required",
      "RFC 9449 section 9: a proof without a nonce where one is wanted",
      "RFC 9449 section 9: a proof with the nonce that is wanted passes",
    ].map((name) => [...sectionAndSays(name), middleware, name]),
  ),
  ...musts([
    [
      "9",
      "at an API, a nonce is one that was issued there, or at another replica, within five minutes",
      boundTokens,
      "section 9: with a nonce that was issued here, or by another replica, within five minutes",
    ],
  ]),
  ...musts(
    [
      "RFC 9449 section 4.2: the proof for a request is by the key that the token is bound to",
      "RFC 9449 section 5: a bearer token where a bound one was asked for is refused",
      "RFC 9449 section 8: a nonce that the provider asks for is in the next request, at once and also where nothing is retried",
      "RFC 9449 section 8: a provider that is never content with a nonce is asked twice, and is not taken at its word for long",
      "RFC 9449 section 8.1: what is no nonce is not repeated",
      "RFC 9449 section 8.2: a nonce that comes with a token is in the next request",
    ].map((name) => {
      const [section, says] = sectionAndSays(name);
      return [section, `the token API as a client: ${says}`, "apps/tokens/test/dpop.test.ts", name];
    }),
  ),
];

/** Tests that are named after a section say themselves what they show. */
function sectionAndSays(name: string): readonly [string, string] {
  const [, section = "", says = ""] = /section ([\d.]+): (.*)$/.exec(name) ?? [];
  return [section, says];
}

/** Rows for tables that stand elsewhere: what a validator or a resource server owes to them. */
export const resourceServerRows = { rfc7515, rfc7519, rfc7662, rfc8725, rfc9068, rfc9449 } as const;

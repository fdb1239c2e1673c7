import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnsecuredJWT } from "jose";
import {
  createSdk,
  expiresIn,
  getToken,
  parseAzureUserToken,
  parseIdportenToken,
  parseMaskinportenToken,
  parseTokenxToken,
  requestOboToken,
} from "./index.ts";
import type { TokenSource } from "./index.ts";
import { secondsLeft } from "./read.ts";

const env = {
  NAIS_TOKEN_ENDPOINT: "http://localhost:7164/api/v1/token",
  NAIS_TOKEN_EXCHANGE_ENDPOINT: "http://localhost:7164/api/v1/token/exchange",
  NAIS_TOKEN_INTROSPECTION_ENDPOINT: "http://localhost:7164/api/v1/introspect",
  AZURE_OPENID_CONFIG_ISSUER: "https://entra.example/v2.0",
  AZURE_OPENID_CONFIG_JWKS_URI: "https://entra.example/keys",
  AZURE_APP_CLIENT_ID: "client",
  TOKEN_X_ISSUER: "https://tokenx.example",
  TOKEN_X_JWKS_URI: "https://tokenx.example/jwks",
  TOKEN_X_CLIENT_ID: "local:b:api",
};
const now = (): number => 1000;
const token = (claims: Record<string, unknown>): string => new UnsecuredJWT(claims).encode();

interface Sent {
  url: string;
  body: unknown;
}
/** An SDK whose token API gives `answer`, and what was sent to it. */
function apiWith(
  answer: () => Response | Promise<Response>,
  more: Partial<Parameters<typeof createSdk>[0]> = {},
) {
  const sent: Sent[] = [];
  const sdk = createSdk({
    env,
    now,
    fetch: async (input, init) => {
      assert.ok(typeof input === "string" && typeof init?.body === "string");
      sent.push({ url: input, body: JSON.parse(init.body) as unknown });
      assert.equal(init.redirect, "manual");
      return answer();
    },
    ...more,
  });
  return { sdk, sent };
}
const good = (): Response => Response.json({ access_token: "at", expires_in: 55, token_type: "Bearer" });

describe("getToken (RFC 6750 section 2.1)", () => {
  const cases: { name: string; source: TokenSource; token: string | null }[] = [
    {
      name: "a fetch Request",
      source: new Request("http://x", { headers: { authorization: "Bearer a.b.c" } }),
      token: "a.b.c",
    },
    { name: "Headers", source: new Headers({ authorization: "Bearer a.b.c" }), token: "a.b.c" },
    { name: "a Node.js request", source: { headers: { authorization: "Bearer a.b.c" } }, token: "a.b.c" },
    { name: "the header's value", source: "Bearer a.b.c", token: "a.b.c" },
    { name: "the token itself", source: "a.b.c", token: "a.b.c" },
    { name: "another letter case", source: "bEARER a.b.c", token: "a.b.c" },
    { name: "no header", source: new Headers(), token: null },
    { name: "nothing", source: null, token: null },
    { name: "the scheme alone", source: { headers: { authorization: "Bearer " } }, token: null },
    { name: "another scheme", source: { headers: { authorization: "DPoP a.b.c" } }, token: null },
    { name: "a bare token in the header", source: { headers: { authorization: "a.b.c" } }, token: null },
    { name: "two tokens", source: { headers: { authorization: "Bearer a.b.c, Bearer d.e.f" } }, token: null },
    { name: "spaces inside", source: "Bearer a b", token: null },
    { name: "an empty text", source: "", token: null },
  ];
  for (const { name, source, token: expected } of cases) {
    test(name, () => assert.equal(getToken(source), expected));
  }
});

describe("parse helpers", () => {
  test("ID-porten", () => {
    assert.deepEqual(parseIdportenToken(token({ pid: "1" })), { ok: true, pid: "1" });
    const result = parseIdportenToken(token({}));
    assert.ok(!result.ok && /no pid/.test(result.error.message));
  });
  test("Entra ID wants all five", () => {
    const claims = { oid: "o", NAVident: "A1", preferred_username: "a@b", name: "A", groups: ["g"] };
    assert.deepEqual(parseAzureUserToken(token(claims)), { ok: true, ...claims });
    for (const name of Object.keys(claims)) {
      assert.equal(parseAzureUserToken(token({ ...claims, [name]: undefined })).ok, false, name);
    }
    assert.equal(parseAzureUserToken(token({ ...claims, groups: [1] })).ok, false);
  });
  test("TokenX", () => {
    const claims = { pid: "1", acr: "Level4", client_id: "a:b:c", idp: "i" };
    assert.deepEqual(parseTokenxToken(token(claims)), { ok: true, ...claims });
  });
  test("Maskinporten, with a supplier", () => {
    const party = (number: string) => ({ authority: "iso6523-actorid-upis", ID: `0192:${number}` });
    const claims = {
      client_id: "c",
      scope: "a:b c:d",
      consumer: party("889640782"),
      supplier: party("999999999"),
    };
    assert.deepEqual(parseMaskinportenToken(token(claims)), {
      ok: true,
      consumer: "889640782",
      supplier: "999999999",
      client_id: "c",
      scopes: ["a:b", "c:d"],
    });
    assert.equal(parseMaskinportenToken(token({ ...claims, consumer: { ID: "0192:889640782" } })).ok, false);
  });
  test("what is no token is a result", () => {
    for (const parse of [parseIdportenToken, parseAzureUserToken, parseTokenxToken, parseMaskinportenToken]) {
      assert.equal(parse("nonsense").ok, false);
    }
  });
  test("time left: whole seconds, and 0 for what has expired or says nothing", () => {
    assert.equal(secondsLeft(token({ exp: 1010.9 }), 1000), 10);
    assert.equal(secondsLeft(token({ exp: 900 }), 1000), 0);
    assert.equal(secondsLeft(token({}), 1000), 0);
    assert.equal(expiresIn("nonsense"), 0);
  });
});

describe("tokens from the token API", () => {
  test("machine tokens, with the names and fields of the token API", async () => {
    const { sdk, sent } = apiWith(good);
    assert.deepEqual(
      { ...(await sdk.requestAzureClientCredentialsToken("local:b:api")) },
      {
        ok: true,
        token: "at",
        expiresIn: 55,
      },
    );
    await sdk.requestMaskinportenToken("a:b", {
      resource: "https://r",
      authorizationDetails: [{ type: "t" }],
    });
    await sdk.getMachineToken({ provider: "entra_id", target: "x", skipCache: true });
    assert.deepEqual(sent, [
      { url: env.NAIS_TOKEN_ENDPOINT, body: { identity_provider: "entra_id", target: "local:b:api" } },
      {
        url: env.NAIS_TOKEN_ENDPOINT,
        body: {
          identity_provider: "maskinporten",
          target: "a:b",
          resource: "https://r",
          authorization_details: [{ type: "t" }],
        },
      },
      {
        url: env.NAIS_TOKEN_ENDPOINT,
        body: { identity_provider: "entra_id", target: "x", skip_cache: true },
      },
    ]);
  });
  test("on behalf of a user: the token's issuer picks the exchanger", async () => {
    const { sdk, sent } = apiWith(good);
    const [azure, tokenx, idporten] = [
      "https://entra.example/v2.0",
      "https://tokenx.example",
      "https://idporten",
    ].map((iss) => token({ iss }));
    await sdk.requestOboToken(azure, "t");
    await sdk.requestOboToken(tokenx, "t");
    await sdk.requestOboToken(idporten, "t");
    await sdk.requestTokenxOboToken(azure, "t");
    assert.deepEqual(
      sent.map(({ url, body }) => [url, (body as Record<string, unknown>)["identity_provider"]]),
      ["entra_id", "tokenx", "tokenx", "tokenx"].map((name) => [env.NAIS_TOKEN_EXCHANGE_ENDPOINT, name]),
    );
    assert.deepEqual(sent[0]?.body, { identity_provider: "entra_id", target: "t", user_token: azure });
  });
  test("no user token is a result, and nothing is sent", async () => {
    const { sdk, sent } = apiWith(good);
    const result = await sdk.requestOboToken(null, "t");
    assert.ok(!result.ok && result.code === "no_token");
    assert.equal(sent.length, 0);
  });
  test("without the platform's variables there is a result that names the variable", async () => {
    const result = await createSdk({ env: {}, now }).getMachineToken({ provider: "entra_id", target: "t" });
    assert.ok(!result.ok);
    assert.equal(result.error.message, "NAIS_TOKEN_ENDPOINT is not set");
    assert.equal((await requestOboToken("a.b.c", "t")).ok, false);
  });
  test("a result that is written into a header instead of its token fails at once", async () => {
    const { sdk } = apiWith(good);
    const result = await sdk.requestAzureClientCredentialsToken("t");
    assert.throws(() => `Bearer ${result as unknown as string}`, /use its \.token/);
  });

  const answers: { name: string; answer: () => Response; code: string; says: RegExp; hint?: string }[] = [
    {
      name: "the provider's error as it came, with the hint",
      answer: () =>
        Response.json(
          { error: "invalid_grant", error_description: "AADSTS501051: no", hint: "add a rule" },
          { status: 400 },
        ),
      code: "invalid_grant",
      says: /^invalid_grant: AADSTS501051/,
      hint: "add a rule",
    },
    {
      name: "a page",
      answer: () => new Response("<html>", { status: 502 }),
      code: "bad_response",
      says: /not JSON/,
    },
    {
      name: "an answer of 1 MB",
      answer: () => new Response(JSON.stringify({ access_token: "x".repeat(1_000_000) })),
      code: "bad_response",
      says: /larger than/,
    },
    {
      name: "a redirect",
      answer: () => Response.redirect("http://evil.example"),
      code: "bad_response",
      says: /JSON/,
    },
    {
      name: "a success without a token",
      answer: () => Response.json({ expires_in: 1, token_type: "Bearer" }),
      code: "bad_response",
      says: /without access_token/,
    },
    {
      name: "a token of a type that nobody knows",
      answer: () => Response.json({ access_token: "at", expires_in: 1, token_type: "mac" }),
      code: "bad_response",
      says: /type that is not known/,
    },
  ];
  for (const { name, answer, code, says, hint } of answers) {
    test(name, async () => {
      const result = await apiWith(answer).sdk.getMachineToken({ provider: "entra_id", target: "t" });
      assert.ok(!result.ok);
      assert.equal(result.code, code);
      assert.match(result.error.message, says);
      assert.equal(result.hint, hint);
    });
  }
  test("weak point of a sibling library: a connection that breaks is tried once more, and no more", async () => {
    const { sdk: answering } = apiWith(good);
    let failures = 1;
    let tries = 0;
    const breaking: typeof fetch = () => {
      tries += 1;
      return tries > failures
        ? Promise.resolve(good())
        : Promise.reject(new TypeError("fetch failed", { cause: "ECONNRESET" }));
    };
    const { sdk } = apiWith(good, { fetch: breaking });
    assert.deepEqual(
      { ...(await sdk.requestAzureClientCredentialsToken("t")) },
      { ...(await answering.requestAzureClientCredentialsToken("t")) },
    );
    assert.equal(tries, 2);
    [failures, tries] = [9, 0];
    const result = await sdk.requestAzureClientCredentialsToken("t");
    assert.ok(!result.ok && result.code === "unreachable");
    assert.equal(tries, 2);
  });
  test("a token API that never answers is given up on", async () => {
    const hanging: typeof fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
      });
    // AbortSignal.timeout does not keep the process alive by itself.
    const alive = setInterval(() => undefined, 1000);
    const { sdk } = apiWith(good, { fetch: hanging, timeoutSeconds: 0.02 });
    const result = await sdk.getMachineToken({ provider: "entra_id", target: "t" });
    clearInterval(alive);
    assert.ok(!result.ok && result.code === "unreachable");
    assert.match(result.error.message, /did not answer within/);
  });
});

describe("introspection by the token API", () => {
  test("active, with the claims", async () => {
    const { sdk, sent } = apiWith(() => Response.json({ active: true, pid: "1" }));
    assert.deepEqual(await sdk.introspect("a.b.c", "tokenx"), {
      ok: true,
      active: true,
      payload: { pid: "1" },
    });
    assert.deepEqual(sent, [
      { url: env.NAIS_TOKEN_INTROSPECTION_ENDPOINT, body: { identity_provider: "tokenx", token: "a.b.c" } },
    ]);
  });
  test("not active, with the reason", async () => {
    const { sdk } = apiWith(() => Response.json({ active: false, error: "token expired 34 s ago" }));
    assert.deepEqual(await sdk.introspect("a.b.c", "tokenx"), {
      ok: true,
      active: false,
      error: "token expired 34 s ago",
    });
  });
  test("an answer that does not say is never active", async () => {
    for (const body of [{}, { active: "true" }, { active: 1 }]) {
      const result = await apiWith(() => Response.json(body)).sdk.introspect("a.b.c", "tokenx");
      assert.ok(!result.ok && result.code === "bad_response");
    }
  });
});

test("RFC 9728 section 2: the metadata names the issuers that are set up, and only those", () => {
  const { sdk } = apiWith(good);
  const resource = "https://api.example";
  assert.deepEqual(sdk.protectedResourceMetadata({ resource, scopes: ["read"], name: "Cases" }), {
    resource,
    authorization_servers: ["https://entra.example/v2.0", "https://tokenx.example"],
    bearer_methods_supported: ["header"],
    scopes_supported: ["read"],
    resource_name: "Cases",
  });
  const one = sdk.protectedResourceMetadata({ resource, providers: ["tokenx", "maskinporten"] });
  assert.deepEqual(one.authorization_servers, ["https://tokenx.example"]);
  const bound = sdk.protectedResourceMetadata({ resource, dpop: "required" });
  assert.equal(bound.dpop_bound_access_tokens_required, true);
  assert.ok(bound.dpop_signing_alg_values_supported?.includes("ES256"));
  assert.ok(!bound.dpop_signing_alg_values_supported?.includes("none"));
  const either = sdk.protectedResourceMetadata({ resource, dpop: "supported" });
  assert.equal(either.dpop_bound_access_tokens_required, undefined);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compactVerify, importJWK } from "jose";
import { Fault, ReportedError } from "../errors.ts";
import { createSigner, generatePrivateJwk } from "../jwt/keys.ts";
import { peekJwt } from "../jwt/verify.ts";
import { clientSecretBasic, clientSecretPost, privateKeyJwt, publicClient } from "./client-auth.ts";
import { authorizationServerMetadataUrl, fetchMetadata, openidConfigurationUrl } from "./metadata.ts";
import { judgePushedResponse } from "./pushed-request.ts";
import { buildTokenRequest, judgeTokenResponse } from "./token-request.ts";

const now = 1_800_000_000;
const endpoint = "https://as.example/token";
const params = { grant_type: "x", scope: undefined, resource: ["a", "b"] };

describe("client authentication", () => {
  test("RFC 7523 section 3: private_key_jwt is signed, short, for the issuer alone, and new each time", async () => {
    const signer = await createSigner(await generatePrivateJwk("ES256"));
    const auth = privateKeyJwt({ clientId: "c1", signer, audience: "https://as.example", now: () => now });
    const [one, two] = await Promise.all(
      [1, 2].map(async () => (await buildTokenRequest({ endpoint, params, auth })).text()),
    );
    const form = new URLSearchParams(one);
    const assertion = form.get("client_assertion") ?? "";
    await compactVerify(assertion, await importJWK(signer.publicJwk, "ES256"));
    const { claims, header } = peekJwt(assertion) ?? assert.fail();
    const { jti, ...rest } = claims;
    assert.deepEqual(rest, {
      iss: "c1",
      sub: "c1",
      aud: "https://as.example",
      iat: now,
      nbf: now,
      exp: now + 30,
    });
    assert.equal(header["kid"], signer.kid);
    assert.notEqual(jti, peekJwt(new URLSearchParams(two).get("client_assertion") ?? "")?.claims.jti);
    assert.deepEqual(form.getAll("resource"), ["a", "b"]);
    assert.equal(form.has("scope"), false);
  });

  test("an assertion longer than 60 s cannot be asked for", async () => {
    const signer = await createSigner(await generatePrivateJwk("ES256"));
    const options = { clientId: "c", signer, audience: "a", now: () => now, lifetimeSeconds: 61 };
    assert.throws(() => privateKeyJwt(options), RangeError);
  });

  test("RFC 6749 section 2.3.1: basic credentials are form-encoded first", async () => {
    const auth = clientSecretBasic({ clientId: "a:b", secret: "p å%" });
    const request = await buildTokenRequest({ endpoint, params, auth });
    assert.equal(atob(request.headers.get("authorization")?.slice(6) ?? ""), "a%3Ab:p+%C3%A5%25");
    assert.equal(request.url, endpoint);
  });

  test("client_secret_post and none go into the body", async () => {
    const post = await (
      await buildTokenRequest({ endpoint, params, auth: clientSecretPost({ clientId: "c", secret: "s" }) })
    ).text();
    assert.match(post, /client_id=c&client_secret=s/);
    const none = await (
      await buildTokenRequest({ endpoint, params, auth: publicClient({ clientId: "c" }) })
    ).text();
    assert.match(none, /client_id=c$/);
  });
});

describe("judgeTokenResponse", () => {
  const ok = { access_token: "t", token_type: "Bearer" };
  test("gives the members as they are, expires_in as a number", async () => {
    const judged = await judgeTokenResponse(Response.json({ ...ok, expires_in: "599", extra: 1 }));
    assert.deepEqual(judged, { ...ok, expires_in: 599, extra: 1 });
  });

  test("RFC 6749 section 5.2: an error keeps status, code, description and body", async () => {
    const body = { error: "invalid_grant", error_description: "no", error_codes: [50_013] };
    const response = Response.json(body, { status: 400, headers: { "retry-after": "7" } });
    await assert.rejects(judgeTokenResponse(response), (error) => {
      assert.ok(error instanceof ReportedError);
      assert.deepEqual(
        [error.status, error.error, error.description, error.retryAfterSeconds],
        [400, "invalid_grant", "no", 7],
      );
      assert.deepEqual(error.body, body);
      return true;
    });
  });

  test("an error without a description stays an error (texas weak point 4.3.5)", async () => {
    const response = Response.json({ error: "invalid_client" }, { status: 401 });
    await assert.rejects(
      judgeTokenResponse(response),
      (e) => e instanceof ReportedError && e.description === undefined,
    );
  });

  const faulty: readonly { name: string; response: () => Response; code: string }[] = [
    { name: "HTML", response: () => new Response("<html>", { status: 502 }), code: "bad_response" },
    { name: "a list", response: () => Response.json([]), code: "bad_response" },
    { name: "no token", response: () => Response.json({ token_type: "Bearer" }), code: "bad_response" },
    {
      name: "a negative lifetime",
      response: () => Response.json({ ...ok, expires_in: -1 }),
      code: "bad_response",
    },
    {
      name: "a redirect",
      response: () => Response.redirect("https://evil.example", 307),
      code: "bad_response",
    },
    { name: "more than fits", response: () => new Response("x".repeat(300_000)), code: "too_large" },
  ];
  for (const { name, response, code } of faulty) {
    test(`${name} is a Fault ${code}`, async () => {
      await assert.rejects(judgeTokenResponse(response()), (e) => e instanceof Fault && e.code === code);
    });
  }
});

test("RFC 9126 section 2.2: a pushed request's answer", async () => {
  const good = { request_uri: "urn:x", expires_in: 120 };
  assert.deepEqual(await judgePushedResponse(Response.json(good, { status: 201 })), good);
  await assert.rejects(judgePushedResponse(Response.json({ request_uri: "urn:x" }, { status: 201 })), Fault);
});

describe("metadata", () => {
  test("addresses: OpenID appends, RFC 8414 inserts", () => {
    assert.equal(
      openidConfigurationUrl("https://a.example/t/v2.0"),
      "https://a.example/t/v2.0/.well-known/openid-configuration",
    );
    assert.equal(
      authorizationServerMetadataUrl("https://a.example/"),
      "https://a.example/.well-known/oauth-authorization-server",
    );
    assert.equal(
      authorizationServerMetadataUrl("https://a.example/t/x"),
      "https://a.example/.well-known/oauth-authorization-server/t/x",
    );
  });

  const url = "https://a.example/.well-known/openid-configuration";
  const serve = (body: object) => async () => Response.json(body);
  test("RFC 8414 section 3.3: another issuer than expected is refused", async () => {
    const fetching = fetchMetadata({
      url,
      expectIssuer: "https://a.example",
      fetch: serve({ issuer: "https://b.example" }),
    });
    await assert.rejects(fetching, (e) => e instanceof Fault && e.code === "issuer_mismatch");
  });
  test("an endpoint that is no web address is refused", async () => {
    const fetching = fetchMetadata({
      url,
      fetch: serve({ issuer: "https://a.example", token_endpoint: "file:///etc/passwd" }),
    });
    await assert.rejects(fetching, (e) => e instanceof Fault && e.code === "bad_response");
  });
  test("RFC 8414 section 3.2: members without a value are ignored, and those that nobody uses are nobody's matter", async () => {
    const issuer = "https://a.example";
    const odd = { issuer, op_tos_uri: null, revocation_endpoint: null, op_policy_uri: "none" };
    assert.deepEqual(await fetchMetadata({ url, fetch: serve(odd) }), { issuer, op_policy_uri: "none" });
  });
  test("a connection that fails is a Fault unreachable", async () => {
    const failing = async () => {
      throw new TypeError("fetch failed");
    };
    await assert.rejects(
      fetchMetadata({ url, fetch: failing }),
      (e) => e instanceof Fault && e.code === "unreachable",
    );
  });
});

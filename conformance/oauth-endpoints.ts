// OAuth's endpoints and documents: metadata, pushed authorization requests, the token endpoint's requests and answers.

import assert from "node:assert/strict";
import {
  authorizationServerMetadataUrl,
  buildPushedRequest,
  clientSecretBasic,
  fetchMetadata,
  judgePushedResponse,
  judgeTokenResponse,
  openidConfigurationUrl,
  privateKeyJwt,
  ReportedError,
} from "@portvakt/oauth";
import type { ServerMetadata } from "@portvakt/oauth";
import { clientId, issuer, now, signer } from "./subjects.ts";
import type { Specification } from "./table.ts";

const auth = privateKeyJwt({ clientId, signer, audience: issuer, now });

const answerWith =
  (document: object): typeof fetch =>
  async () =>
    Response.json(document);

async function metadata(document: object, expectIssuer = issuer): Promise<ServerMetadata> {
  return fetchMetadata({ url: openidConfigurationUrl(issuer), expectIssuer, fetch: answerWith(document) });
}

export const rfc8414: Specification = {
  name: "RFC 8414",
  title: "Authorization server metadata",
  requirements: [
    {
      section: "3.1",
      level: "must",
      says: "the well-known part goes between host and path",
      run: () => {
        const expected = "https://as.example/.well-known/oauth-authorization-server/tenant/v2.0";
        assert.equal(authorizationServerMetadataUrl("https://as.example/tenant/v2.0"), expected);
        assert.equal(
          authorizationServerMetadataUrl("https://as.example/"),
          "https://as.example/.well-known/oauth-authorization-server",
        );
      },
    },
    {
      section: "3.2",
      level: "must",
      says: "an answer that is no JSON object is refused",
      run: async () => {
        for (const document of [[], "text", 1])
          await assert.rejects(metadata(document as object), { code: "bad_response" });
      },
    },
    {
      section: "3.3",
      level: "must",
      says: "metadata of another issuer than asked for is not used",
      run: async () => {
        await assert.rejects(metadata({ issuer: "https://other.example" }), { code: "issuer_mismatch" });
        await assert.rejects(metadata({ issuer: `${issuer}/` }), { code: "issuer_mismatch" });
        assert.equal((await metadata({ issuer })).issuer, issuer);
      },
    },
    {
      section: "2",
      level: "must",
      says: "metadata without an issuer is refused",
      run: async () => {
        await assert.rejects(metadata({ token_endpoint: `${issuer}/token` }), { code: "bad_response" });
      },
    },
    {
      section: "2",
      level: "must",
      says: "endpoints are URLs",
      run: async () => {
        await assert.rejects(metadata({ issuer, token_endpoint: "javascript:alert(1)" }), {
          code: "bad_response",
        });
      },
    },
  ],
};

async function pushed(params: Record<string, string>): Promise<URLSearchParams> {
  const request = await buildPushedRequest({ endpoint: `${issuer}/par`, params, auth });
  return new URLSearchParams(await request.text());
}

export const rfc9126: Specification = {
  name: "RFC 9126",
  title: "Pushed authorization requests",
  requirements: [
    {
      section: "2.1",
      level: "must",
      says: "the request authenticates the client as at the token endpoint",
      run: async () => {
        const form = await pushed({ response_type: "code" });
        assert.deepEqual([form.get("client_id"), form.has("client_assertion")], [clientId, true]);
      },
    },
    {
      section: "2.1",
      level: "must",
      says: "the request is a form POST with the authorization parameters",
      run: async () => {
        const request = await buildPushedRequest({ endpoint: `${issuer}/par`, params: { state: "s" }, auth });
        assert.deepEqual(
          [request.method, request.headers.get("content-type")],
          ["POST", "application/x-www-form-urlencoded"],
        );
        assert.equal(new URLSearchParams(await request.text()).get("state"), "s");
      },
    },
    {
      section: "2.1",
      level: "must",
      says: "request_uri is not pushed",
      run: async () => {
        assert.throws(
          () =>
            void buildPushedRequest({ endpoint: `${issuer}/par`, params: { request_uri: "urn:x" }, auth }),
          TypeError,
        );
      },
    },
    {
      section: "2.2",
      level: "must",
      says: "the answer has request_uri and expires_in",
      run: async () => {
        const good = { request_uri: "urn:ietf:params:oauth:request_uri:1", expires_in: 60 };
        assert.deepEqual(await judgePushedResponse(Response.json(good, { status: 201 })), good);
        for (const bad of [
          { expires_in: 60 },
          { request_uri: "urn:x" },
          { request_uri: "urn:x", expires_in: 0 },
        ]) {
          await assert.rejects(judgePushedResponse(Response.json(bad, { status: 201 })), {
            code: "bad_response",
          });
        }
      },
    },
    {
      section: "2.3",
      level: "must",
      says: "an error is an OAuth error",
      run: async () => {
        const answer = Response.json({ error: "invalid_request" }, { status: 400 });
        await assert.rejects(
          judgePushedResponse(answer),
          (error) => error instanceof ReportedError && error.error === "invalid_request",
        );
      },
    },
    {
      section: "2.1",
      level: "must",
      says: "the server refuses a pushed request_uri",
      test: ["apps/standins/test/idporten-refusals.test.ts", "section 2.1: must not hold a request_uri"],
    },
    {
      section: "7.3",
      level: "must",
      says: "a request_uri is good once, for its own client, for a short time",
      test: [
        "apps/standins/test/idporten-refusals.test.ts",
        "section 7.3: is good once, for its own client, for 120 seconds, with nothing beside it",
      ],
    },
  ],
};

export const rfc6749: Specification = {
  name: "RFC 6749",
  title: "The OAuth 2.0 authorization framework",
  requirements: [
    {
      section: "2.3.1",
      level: "must",
      says: "Basic credentials are form-encoded first",
      run: async () => {
        const headers = new Headers();
        await clientSecretBasic({ clientId: "a:b", secret: "p æ+" })({
          params: new URLSearchParams(),
          headers,
        });
        assert.equal(atob(headers.get("authorization")?.slice(6) ?? ""), "a%3Ab:p+%C3%A6%2B");
      },
    },
    {
      section: "5.1",
      level: "must",
      says: "an answer without access_token or token_type is refused",
      run: async () => {
        for (const body of [{ token_type: "Bearer" }, { access_token: "a" }]) {
          await assert.rejects(judgeTokenResponse(Response.json(body)), { code: "bad_response" });
        }
      },
    },
    {
      section: "5.2",
      level: "must",
      says: "an error is reported with its code, not its status alone",
      run: async () => {
        const answer = Response.json({ error: "invalid_grant" }, { status: 400 });
        await assert.rejects(
          judgeTokenResponse(answer),
          (error) => error instanceof ReportedError && error.error === "invalid_grant",
        );
      },
    },
    {
      section: "3.2",
      level: "must",
      says: "the token endpoint takes POST",
      test: ["packages/issuer/src/token-endpoint.test.ts", "RFC 6749 section 3.2: another method"],
    },
    {
      section: "3.2",
      level: "must",
      says: "a parameter that is sent twice is refused",
      test: ["packages/issuer/src/token-endpoint.test.ts", "RFC 6749 section 3.2: a repeated parameter"],
    },
    {
      section: "3.2",
      level: "must",
      says: "a parameter without a value counts as left out",
      test: [
        "packages/issuer/src/token-endpoint.test.ts",
        "RFC 6749 section 3.2: a required parameter without a value",
      ],
    },
    {
      section: "3.2",
      level: "must",
      says: "unknown parameters are ignored",
      test: [
        "packages/issuer/src/token-endpoint.test.ts",
        "RFC 6749 section 3.2: unknown parameters are ignored: the grant does not even see them",
      ],
    },
    {
      section: "2.3",
      level: "must",
      says: "two methods of authentication at once are refused",
      test: [
        "packages/issuer/src/client-authentication.test.ts",
        "RFC 6749 section 2.3: two methods at once",
      ],
    },
    {
      section: "5.1",
      level: "must",
      says: "answers with tokens are not cached",
      test: [
        "packages/issuer/src/token-endpoint.test.ts",
        "RFC 6749 section 5.1: answers and refusals are not cached",
      ],
    },
    {
      section: "5.2",
      level: "must",
      says: "a grant that is not served is unsupported_grant_type",
      test: [
        "packages/issuer/src/token-endpoint.test.ts",
        "RFC 6749 section 5.2: a grant that is not served",
      ],
    },
    {
      section: "5.2",
      level: "must",
      says: "a failed Basic attempt is challenged",
      test: [
        "packages/issuer/src/token-endpoint.test.ts",
        "RFC 6749 section 5.2: a failed Basic attempt is answered with its challenge",
      ],
    },
  ],
};

export const rfc9207: Specification = {
  name: "RFC 9207",
  title: "Issuer identification in authorization responses",
  requirements: [
    {
      section: "2.4",
      level: "must",
      says: "an answer that names another issuer is refused",
      test: ["test/peers/login.test.ts", "RFC 9207 section 2.4: an answer that names another issuer"],
    },
    {
      section: "2.4",
      level: "must",
      says: "an answer without iss, from a server whose metadata promises one, is refused",
      test: [
        "test/peers/login.test.ts",
        "RFC 9207 section 2.4: an answer that names no issuer, from a provider that always does",
      ],
    },
  ],
};

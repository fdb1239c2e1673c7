// TokenX with clients that are not ours: oauth4webapi and openid-client exchange tokens, jose issues and verifies them.
// TokenX keeps its registry in a real PostgreSQL.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { after, before, describe, test } from "node:test";
import * as tokenx from "@portvakt/tokenx";
import type { Running } from "@portvakt/runtime/process";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { foreignIssuer, foreignKey, freshDatabase, startApp } from "./starting.ts";
import type { ForeignKey } from "./starting.ts";

const portal = "local:benefits:portal";
const api = "local:benefits:application-api";
const incomeRegister = "local:benefits:income-register";
const snoop = "local:benefits:snoop";

const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const jwtType = "urn:ietf:params:oauth:token-type:jwt";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const overHttp = { [oauth.allowInsecureRequests]: true };

let idp: { url: string; key: ForeignKey; server: Server };
let registrar: ForeignKey;
let url: string;
let server: oauth.AuthorizationServer;
const keys = new Map<string, ForeignKey>();
/** What has been started, also when the rest could not be. */
const started = new AsyncDisposableStack();

async function registerAt(appId: string, inbound: readonly string[]): Promise<void> {
  const key = await foreignKey(`${appId}-1`);
  keys.set(appId, key);
  const statement = await registrar.sign({
    iss: "registrar",
    jti: randomUUID(),
    appId,
    accessPolicyInbound: inbound,
    accessPolicyOutbound: [],
    portvakt_subject_clients: appId === portal || appId === snoop ? { [idp.url]: [`${appId}-login`] } : {},
  });
  const bearer = await registrar.sign({ iss: "registrar", sub: "registrar", aud: url });
  const response = await fetch(`${url}/registration/client`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: JSON.stringify({ client_name: appId, jwks: { keys: [key.jwk] }, software_statement: statement }),
  });
  assert.equal(response.status, 201, await response.text());
}

before(async () => {
  [idp, registrar] = await Promise.all([foreignIssuer(), foreignKey("registrar-1")]);
  started.defer(() => void idp.server.close());
  const running: Running = await startApp(tokenx, {
    PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENX_DATABASE_URL: await freshDatabase(`peers_tokenx_${randomUUID().replaceAll("-", "")}`),
    PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64"),
    SUBJECT_TOKEN_ISSUERS: `${idp.url}/.well-known/openid-configuration`,
    AUTH_CLIENT_ID: "registrar",
    AUTH_CLIENT_JWKS: JSON.stringify({ keys: [registrar.jwk] }),
  });
  started.defer(() => running.close());
  url = running.addresses["tokenx"] ?? "";
  for (const [app, inbound] of [
    [portal, []],
    [snoop, []],
    [api, [portal]],
    [incomeRegister, [api]],
  ] as const) {
    await registerAt(app, inbound);
  }
  const issuer = new URL(url);
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...overHttp });
  server = await oauth.processDiscoveryResponse(issuer, discovered);
});

after(() => started.disposeAsync());

/** The citizen's token, as the identity provider gives it to an application's login proxy. */
async function citizensToken(app: string): Promise<string> {
  const claims = {
    iss: idp.url,
    sub: "citizen",
    aud: "platform",
    client_id: `${app}-login`,
    acr: "idporten-loa-high",
    pid: "12345678910",
  };
  return idp.key.sign(claims, "at+jwt");
}

async function exchange(
  app: string,
  subjectToken: string,
  audience: string,
  more: Record<string, string> = {},
): Promise<oauth.TokenEndpointResponse> {
  const client = { client_id: app };
  const key = keys.get(app)!;
  const auth = oauth.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid! });
  const parameters = { subject_token: subjectToken, subject_token_type: jwtType, audience, ...more };
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    auth,
    exchangeGrant,
    parameters,
    overHttp,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

async function errorOf(answer: Promise<unknown>): Promise<oauth.ResponseBodyError> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof oauth.ResponseBodyError, `not refused: ${String(error)}`);
  return error;
}

describe("oauth4webapi", () => {
  test("RFC 8414 section 3: discovers TokenX", () => {
    assert.equal(server.token_endpoint, `${url}/token`);
    assert.deepEqual(server.token_endpoint_auth_methods_supported, ["private_key_jwt"]);
  });

  test("RFC 8693 section 2: a chain of two exchanges keeps the citizen, and names who acts for her", async () => {
    const first = await exchange(portal, await citizensToken(portal), api);
    assert.equal(first["issued_token_type"], accessTokenType);
    assert.equal(first.token_type.toLowerCase(), "bearer");
    const second = await exchange(api, first.access_token, incomeRegister);
    const verified = await jwtVerify(
      second.access_token,
      createRemoteJWKSet(new URL(server.jwks_uri ?? "")),
      {
        issuer: url,
        audience: incomeRegister,
        requiredClaims: ["sub", "exp", "iat", "jti", "client_id"],
      },
    );
    assert.equal(verified.payload.sub, "citizen");
    assert.equal(verified.payload["pid"], "12345678910");
    assert.equal(verified.payload["acr"], "idporten-loa-high");
    assert.equal(verified.payload["client_id"], api);
    assert.deepEqual(verified.payload["act"], { sub: api, act: { sub: portal } });
  });

  test("RFC 8693 section 2.2.1: expires_in is that of the token, never longer than the subject token's", async () => {
    const subject = await citizensToken(portal);
    const answer = await exchange(portal, subject, api);
    const { exp, iat } = decodeJwt(answer.access_token);
    assert.equal(answer.expires_in, exp! - iat!);
    assert.ok(exp! <= decodeJwt(subject).exp!);
  });

  const refusals: readonly [name: string, run: () => Promise<unknown>, error: string][] = [
    [
      "RFC 8693 section 2.2.2: a target that does not admit the caller",
      async () => exchange(snoop, await citizensToken(snoop), api),
      "invalid_target",
    ],
    [
      "RFC 8693 section 2.2.2: a target that nobody registered",
      async () => exchange(portal, await citizensToken(portal), "local:benefits:nothing"),
      "invalid_target",
    ],
    [
      "RFC 8693 section 2.2.2: a citizen's token of another application",
      async () => exchange(snoop, await citizensToken(portal), incomeRegister),
      "invalid_request",
    ],
    [
      "RFC 8693 section 2.2.2: a token made for another application of the chain",
      async () =>
        exchange(
          snoop,
          (await exchange(portal, await citizensToken(portal), api)).access_token,
          incomeRegister,
        ),
      "invalid_request",
    ],
    [
      "RFC 8693 section 2.2.2: a subject token that is none",
      async () => exchange(portal, "hello", api),
      "invalid_request",
    ],
    [
      "RFC 8693 section 2.2.2: a subject token of nobody known",
      async () =>
        exchange(
          portal,
          await (
            await foreignKey("x")
          ).sign({ iss: "https://evil.example", sub: "citizen", client_id: `${portal}-login` }),
          api,
        ),
      "invalid_request",
    ],
    [
      "RFC 8693 section 2.2.2: a subject token by another key",
      async () =>
        exchange(
          portal,
          await (
            await foreignKey("issuer-1")
          ).sign({ iss: idp.url, sub: "citizen", client_id: `${portal}-login` }),
          api,
        ),
      "invalid_request",
    ],
    [
      "RFC 8693 section 2.1: an actor_token",
      async () =>
        exchange(portal, await citizensToken(portal), api, { actor_token: "x", actor_token_type: jwtType }),
      "invalid_request",
    ],
    [
      "RFC 8693 section 2.1: a subject_token_type that is not served",
      async () =>
        exchange(portal, await citizensToken(portal), api, {
          subject_token_type: "urn:ietf:params:oauth:token-type:saml2",
        }),
      "invalid_request",
    ],
  ];
  for (const [name, run, expected] of refusals) {
    test(`refused: ${name}`, async () => {
      const error = await errorOf(run());
      assert.equal(error.error, expected);
      assert.equal(error.status, 400);
    });
  }

  test("RFC 7523 section 3: another application's key does not authenticate", async () => {
    const { privateKey } = keys.get(snoop)!;
    const auth = oauth.PrivateKeyJwt({ key: privateKey, kid: keys.get(portal)!.jwk.kid! });
    const parameters = {
      subject_token: await citizensToken(portal),
      subject_token_type: jwtType,
      audience: api,
    };
    const client = { client_id: portal };
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      auth,
      exchangeGrant,
      parameters,
      overHttp,
    );
    const error = await errorOf(oauth.processGenericTokenEndpointResponse(server, client, response));
    assert.deepEqual([error.status, error.error], [401, "invalid_client"]);
  });
});

describe("openid-client", () => {
  test("RFC 8693 section 2: discovers TokenX and exchanges a token", async () => {
    const exchanged = async (app: string): Promise<openid.TokenEndpointResponse> => {
      const key = keys.get(app)!;
      const auth = openid.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid! });
      const options: openid.DiscoveryRequestOptions = {
        algorithm: "oauth2",
        execute: [openid.allowInsecureRequests],
      };
      const config = await openid.discovery(new URL(url), app, undefined, auth, options);
      const parameters = {
        subject_token: await citizensToken(app),
        subject_token_type: jwtType,
        audience: api,
      };
      return openid.genericGrantRequest(config, exchangeGrant, parameters);
    };
    assert.equal(decodeJwt((await exchanged(portal)).access_token).aud, api);
    await assert.rejects(exchanged(snoop), { error: "invalid_target" });
  });
});

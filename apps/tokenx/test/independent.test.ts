/** TokenX with a client that is not ours (oauth4webapi): DPoP, introspection, revocation. Exchanges alone are in test/peers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { calculateJwkThumbprint, exportJWK } from "jose";
import * as oauth from "oauth4webapi";
import { exchangeGrant, jwtType, platform } from "./platform.ts";
import type { Platform } from "./platform.ts";

const portal = "local:b:portal";
const api = "local:b:api";
const overHttp = { [oauth.allowInsecureRequests]: true };
/** The client reads the real clock, so this server does too. */
const clock = {
  get now() {
    return (performance.timeOrigin + performance.now()) / 1000;
  },
};
let on: Platform;
let server: oauth.AuthorizationServer;

before(async () => {
  on = await platform({ clock });
  await on.register(portal);
  await on.register(api, { accessPolicyInbound: [portal] });
  const issuer = new URL(on.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...overHttp });
  server = await oauth.processDiscoveryResponse(issuer, response);
});
after(() => on.close());

function authOf(id: string): oauth.ClientAuth {
  const app = on.apps.get(id)!;
  return oauth.PrivateKeyJwt({ key: app.key, kid: app.jwk.kid! });
}

async function exchange(options: { DPoP?: oauth.DPoPHandle } = {}): Promise<oauth.TokenEndpointResponse> {
  const client = { client_id: portal };
  const parameters = { subject_token: await on.subjectToken(), subject_token_type: jwtType, audience: api };
  const all = { ...overHttp, ...options };
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    authOf(portal),
    exchangeGrant,
    parameters,
    all,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

async function introspect(by: string, token: string): Promise<oauth.IntrospectionResponse> {
  const client = { client_id: by };
  const response = await oauth.introspectionRequest(server, client, authOf(by), token, overHttp);
  return oauth.processIntrospectionResponse(server, client, response);
}

test("RFC 9449 section 5: a proof binds the token to the client's key", async () => {
  const keys = await oauth.generateKeyPair("ES256", { extractable: true });
  const answer = await exchange({ DPoP: oauth.DPoP({}, keys) });
  assert.equal(answer.token_type, "dpop");
  const { cnf } = await introspect(api, answer.access_token);
  assert.equal(cnf?.jkt, await calculateJwkThumbprint(await exportJWK(keys.publicKey)));
});

test("RFC 7662 section 2: the target introspects the token that it was sent", async () => {
  const { access_token: token } = await exchange();
  const answer = await introspect(api, token);
  assert.equal(answer.active, true);
  assert.equal(answer.client_id, portal);
  assert.deepEqual(answer["act"], { sub: portal });
});

test("RFC 7009 section 2: the client revokes its token, and the target sees it", async () => {
  const { access_token: token } = await exchange();
  const response = await oauth.revocationRequest(
    server,
    { client_id: portal },
    authOf(portal),
    token,
    overHttp,
  );
  await oauth.processRevocationResponse(response);
  assert.equal((await introspect(api, token)).active, false);
});

// The stand-ins with a client that is not ours: openid-client signs people in through a real browser, and gets tokens
// for people and applications. A stand-in that only our own client understood would be worth nothing.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { after, before, describe, test } from "node:test";
import * as standins from "@portvakt/standins";
import type { Running } from "@portvakt/runtime/process";
import { decodeJwt } from "jose";
import * as openid from "openid-client";
import type { Browser } from "playwright-core";
import { launch, visitor } from "../browser/driving.ts";
import { foreignKey, listen, now, startApp } from "./starting.ts";
import type { ForeignKey } from "./starting.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const tenant = "f8c6f6c6-a7d5-48a6-aec4-4ec1a4fee5d9";
const caseworker = "7a1b7a39-0a0e-4b4a-9a35-5f1f2a6f0001";
const caseApi = "7a1b7a39-0a0e-4b4a-9a35-5f1f2a6f0002";
const snoop = "7a1b7a39-0a0e-4b4a-9a35-5f1f2a6f0003";
const orgno = "889640782";

let browser: Browser;
let application: { server: Server; url: string };
let running: Running;
let key: ForeignKey;
let redirectUri: string;

const inbound = (name: string): object => ({ application: name, namespace: "benefits", cluster: "local" });

function registrations(): standins.RegistrationsInput {
  const jwks = { keys: [{ ...key.jwk, kty: "RSA" }] };
  const entra = { jwks, allow_all_users: true };
  return {
    idporten: {
      clients: [{ client_id: "portal", jwks, redirect_uris: [redirectUri], scopes: ["openid", "profile"] }],
    },
    entra: {
      applications: [
        { ...entra, client_id: caseworker, name: "local:benefits:caseworker", redirect_uris: [redirectUri] },
        {
          ...entra,
          client_id: caseApi,
          name: "local:benefits:case-api",
          inbound: [inbound("caseworker"), inbound("payout-job")] as never,
        },
        { ...entra, client_id: snoop, name: "local:benefits:snoop" },
      ],
    },
    maskinporten: {
      clients: [{ client_id: "payout-job", orgno, jwks, scopes: ["tax:income"] }],
      scopes: [{ name: "tax:income", consumers: [orgno] }, { name: "tax:secret" }],
    },
  };
}

before(async () => {
  application = await listen((_request, response) => response.end("signed in"));
  redirectUri = `${application.url}/callback`;
  key = await foreignKey("client-1");
  [running, browser] = await Promise.all([
    startApp(standins, {
      PORTVAKT_STANDINS_IDPORTEN_ADDRESS: "127.0.0.1:0",
      PORTVAKT_STANDINS_ENTRA_ADDRESS: "127.0.0.1:0",
      PORTVAKT_STANDINS_MASKINPORTEN_ADDRESS: "127.0.0.1:0",
      PORTVAKT_STANDINS_CONTROL_ADDRESS: "127.0.0.1:0",
    }),
    launch(),
  ]);
  const response = await fetch(`${running.addresses["control"]}/registrations`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(registrations()),
  });
  assert.equal(response.status, 200, await response.text());
});

after(async () => {
  await browser.close();
  await running.close();
  application.server.closeAllConnections();
  application.server.close();
});

async function discover(issuer: string, clientId: string): Promise<openid.Configuration> {
  const auth = openid.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid! });
  return openid.discovery(new URL(issuer), clientId, undefined, auth, {
    execute: [openid.allowInsecureRequests],
  });
}

const idporten = async (): Promise<openid.Configuration> =>
  discover(running.addresses["idporten"] ?? "", "portal");
const entra = async (clientId: string): Promise<openid.Configuration> =>
  discover(`${running.addresses["entra"]}/${tenant}/v2.0`, clientId);

type Tokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

/** The authorization code flow, with the person's part in a real browser. */
async function signIn(
  config: openid.Configuration,
  persona: string,
  o: { scope: string; pushed: boolean },
): Promise<Tokens> {
  const verifier = openid.randomPKCECodeVerifier();
  const [state, nonce] = [openid.randomState(), openid.randomNonce()];
  const parameters = {
    redirect_uri: redirectUri,
    scope: o.scope,
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  const url = o.pushed
    ? await openid.buildAuthorizationUrlWithPAR(config, parameters)
    : openid.buildAuthorizationUrl(config, parameters);
  const { context, page } = await visitor(browser);
  await page.goto(url.href);
  await page.click(`button[name=persona][value=${persona}]`);
  await page.waitForURL(`${redirectUri}?*`);
  const arrived = new URL(page.url());
  await context.close();
  return openid.authorizationCodeGrant(config, arrived, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
}

describe("ID-porten", () => {
  test("code flow with PKCE, PAR and private_key_jwt; the citizen is in the ID token", async () => {
    const tokens = await signIn(await idporten(), "kari", { scope: "openid profile", pushed: true });
    assert.equal(tokens.claims()?.["pid"], "17858430038");
    assert.equal(tokens.claims()?.["acr"], "idporten-loa-high");
    assert.equal(decodeJwt(tokens.access_token)["client_id"], "portal");
  });

  test("RFC 7636 section 4.6: a code is worth nothing without its verifier", async () => {
    const config = await idporten();
    const { context, page } = await visitor(browser);
    const challenge = await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier());
    const parameters = {
      redirect_uri: redirectUri,
      scope: "openid",
      code_challenge: challenge,
      code_challenge_method: "S256",
    };
    await page.goto(
      (
        await openid.buildAuthorizationUrlWithPAR(config, {
          ...parameters,
          state: "s".repeat(43),
          nonce: "n".repeat(43),
        })
      ).href,
    );
    await page.click("button[name=persona][value=kari]");
    await page.waitForURL(`${redirectUri}?*`);
    const stolen = new URL(page.url());
    await context.close();
    const attempt = openid.authorizationCodeGrant(config, stolen, {
      pkceCodeVerifier: openid.randomPKCECodeVerifier(),
      expectedState: "s".repeat(43),
      expectedNonce: "n".repeat(43),
    });
    await assert.rejects(attempt, { error: "invalid_grant" });
  });

  test("RFC 9126 section 2.3: a redirect URI that is not registered is refused", async () => {
    const parameters = {
      redirect_uri: "https://evil.example/",
      scope: "openid",
      response_type: "code",
      state: "s".repeat(43),
      nonce: "n".repeat(43),
      code_challenge: "c".repeat(43),
      code_challenge_method: "S256",
    };
    await assert.rejects(openid.buildAuthorizationUrlWithPAR(await idporten(), parameters), {
      error: "invalid_request",
    });
  });
});

describe("Entra ID", () => {
  const scope = `openid offline_access api://${caseworker}/.default`;

  test("code flow with PKCE and private_key_jwt; refresh", async () => {
    const config = await entra(caseworker);
    const tokens = await signIn(config, "anna", { scope, pushed: false });
    assert.equal(tokens.claims()?.["NAVident"] ?? decodeJwt(tokens.access_token)["NAVident"], "Z990001");
    const again = await openid.refreshTokenGrant(config, tokens.refresh_token ?? "");
    assert.equal(decodeJwt(again.access_token)["oid"], decodeJwt(tokens.access_token)["oid"]);
  });

  test("on behalf of: the employee goes along, and the API is named", async () => {
    const config = await entra(caseworker);
    const { access_token } = await signIn(config, "anna", { scope, pushed: false });
    const answer = await openid.genericGrantRequest(config, jwtBearer, {
      assertion: access_token,
      requested_token_use: "on_behalf_of",
      scope: "api://local.benefits.case-api/.default",
    });
    const claims = decodeJwt(answer.access_token);
    assert.equal(claims.aud, caseApi);
    assert.equal(claims["azp"], caseworker);
    assert.equal(claims["NAVident"], "Z990001");
  });

  test("client credentials: an application that the policy does not admit gets no token", async () => {
    const target = { scope: "api://local.benefits.case-api/.default" };
    const answer = await openid.clientCredentialsGrant(await entra(caseworker), target);
    const claims = decodeJwt(answer.access_token);
    assert.equal(claims.aud, caseApi);
    assert.equal(claims["idtyp"], "app");
    await assert.rejects(openid.clientCredentialsGrant(await entra(snoop), target), openid.ResponseBodyError);
  });
});

describe("Maskinporten", () => {
  async function grant(scope: string): Promise<Tokens> {
    const issuer = `${running.addresses["maskinporten"]}/`;
    const config = await openid.discovery(new URL(issuer), "payout-job", undefined, openid.None(), {
      algorithm: "oauth2",
      execute: [openid.allowInsecureRequests],
    });
    const claims = { iss: "payout-job", aud: issuer, scope, jti: randomUUID() };
    return openid.genericGrantRequest(config, jwtBearer, { assertion: await key.sign(claims) });
  }

  test("RFC 7523 section 2.1: a signed grant gets a token for the scope", async () => {
    const answer = await grant("tax:income");
    const claims = decodeJwt(answer.access_token);
    assert.equal(claims["scope"], "tax:income");
    assert.equal(claims["client_id"], "payout-job");
    assert.deepEqual(claims["consumer"], { authority: "iso6523-actorid-upis", ID: `0192:${orgno}` });
    assert.ok(claims.exp! > now());
  });

  test("RFC 6749 section 5.2: a scope that the owner gave to nobody is refused", async () => {
    await assert.rejects(grant("tax:secret"), { error: "invalid_scope" });
  });
});

// The login proxy with a provider that is not ours, the certified oidc-provider, in a real browser; sessions in a real
// Redis or Valkey.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { after, before, describe, test } from "node:test";
import * as login from "@portvakt/login";
import type { Running } from "@portvakt/runtime/process";
import { exportJWK } from "jose";
import { Provider } from "oidc-provider";
import type { Configuration } from "oidc-provider";
import type { Browser, Page } from "playwright-core";
import { launch, visitor } from "../browser/driving.ts";
import { freePort } from "../services/guarded.ts";
import { foreignKey, listen, startApp } from "./starting.ts";

let browser: Browser;
let application: { server: Server; url: string };
let provider: { server: Server; url: string };
let proxy: Running;
let ingress: string;
/** What an attacker between browser and provider does to the redirect back; nothing, most of the time. */
let tamper: ((location: URL) => void) | undefined;

async function startProvider(redirectOrigin: string, jwk: object): Promise<{ server: Server; url: string }> {
  let callback: ReturnType<Provider["callback"]> | undefined;
  const listening = await listen((request, response) => {
    const setHeader = response.setHeader.bind(response);
    response.setHeader = (name, value) => {
      if (name.toLowerCase() !== "location" || !String(value).includes("/oauth2/callback"))
        return setHeader(name, value);
      const location = new URL(String(value));
      tamper?.(location);
      return setHeader(name, location.href);
    };
    void callback?.(request, response);
  });
  const signing = await foreignKey("provider-1");
  const configuration: Configuration = {
    clients: [
      {
        client_id: "portal",
        redirect_uris: [`${redirectOrigin}/oauth2/callback`],
        post_logout_redirect_uris: [`${redirectOrigin}/oauth2/logout/callback`],
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "RS256",
        jwks: { keys: [jwk] },
        require_pushed_authorization_requests: true,
      },
    ],
    jwks: {
      keys: [{ ...(await exportJWK(signing.privateKey)), kid: "provider-1", alg: "RS256", use: "sig" }],
    },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    pkce: { required: () => true },
    features: { pushedAuthorizationRequests: { enabled: true } },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  };
  callback = new Provider(listening.url, configuration).callback();
  return listening;
}

before(async () => {
  const key = await foreignKey("login-1");
  const privateJwk = { ...(await exportJWK(key.privateKey)), kid: "login-1", alg: "RS256", use: "sig" };
  const port = await freePort();
  ingress = `http://localhost:${port}`;
  application = await listen((request, response) => {
    response.setHeader("content-type", "text/html");
    const token = request.headers.authorization?.replace(/^Bearer /u, "");
    response.end(`<title>application</title><h1>${request.url}</h1><p id="token">${token ?? "no token"}</p>`);
  });
  [provider, browser] = await Promise.all([startProvider(ingress, key.jwk), launch()]);
  proxy = await startApp(login, {
    PORTVAKT_LOGIN_STATUS_ADDRESS: "127.0.0.1:0",
    PORTVAKT_LOGIN_BIND_ADDRESS: `127.0.0.1:${port}`,
    PORTVAKT_LOGIN_INGRESSES: ingress,
    PORTVAKT_LOGIN_UPSTREAM_HOST: new URL(application.url).host,
    PORTVAKT_LOGIN_AUTO_LOGIN: "true",
    PORTVAKT_LOGIN_COOKIE_SECURE: "false",
    PORTVAKT_LOGIN_PROVIDER: "openid",
    PORTVAKT_LOGIN_CLIENT_ID: "portal",
    PORTVAKT_LOGIN_CLIENT_JWK: JSON.stringify(privateJwk),
    PORTVAKT_LOGIN_WELL_KNOWN_URL: `${provider.url}/.well-known/openid-configuration`,
    PORTVAKT_LOGIN_ENCRYPTION_KEYS: randomBytes(32).toString("base64"),
    PORTVAKT_LOGIN_REDIS_URI: process.env["PORTVAKT_TEST_REDIS_URL"],
  });
});

after(async () => {
  await browser.close();
  await proxy.close();
  for (const { server } of [provider, application]) {
    server.closeAllConnections();
    server.close();
  }
});

/** The provider's own two pages: who you are, and whether the client may know. */
async function signIn(page: Page): Promise<void> {
  await page.fill("input[name=login]", "citizen");
  await page.fill("input[name=password]", "whatever");
  await page.click("button[type=submit]");
  await page.click("button[type=submit]");
}

describe("oidc-provider", () => {
  test("a person signs in (PAR, PKCE, private_key_jwt), reaches the page she asked for with a token, and signs out", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(`${ingress}/benefits?year=2026`);
    assert.equal(new URL(page.url()).origin, provider.url);
    await signIn(page);
    await page.waitForURL(`${ingress}/benefits?year=2026`);
    assert.equal(await page.textContent("h1"), "/benefits?year=2026");
    assert.notEqual(await page.textContent("#token"), "no token");

    const session = await page.evaluate<{ session: { active: boolean } }>(
      "fetch('/oauth2/session').then((response) => response.json())",
    );
    assert.equal(session.session.active, true);

    await page.goto(`${ingress}/oauth2/logout`);
    await page.click("button[value=yes]");
    await page.waitForLoadState();
    await page.goto(`${ingress}/benefits`);
    assert.equal(new URL(page.url()).origin, provider.url, "the session is gone, here and at the provider");
    await context.close();
  });

  const tampered: readonly [name: string, tamper: (location: URL) => void][] = [
    [
      "RFC 9207 section 2.4: an answer that names another issuer",
      ({ searchParams }) => searchParams.set("iss", "https://evil.example"),
    ],
    [
      "RFC 9207 section 2.4: an answer that names no issuer, from a provider that always does",
      ({ searchParams }) => searchParams.delete("iss"),
    ],
    [
      "RFC 6749 section 10.12: an answer with another state",
      ({ searchParams }) => searchParams.set("state", "x".repeat(43)),
    ],
    [
      "RFC 6749 section 4.1.3: a code that the provider did not give",
      ({ searchParams }) => searchParams.set("code", "x".repeat(43)),
    ],
  ];
  for (const [name, change] of tampered) {
    test(`refused: ${name}`, async () => {
      const { context, page } = await visitor(browser);
      tamper = change;
      try {
        await page.goto(`${ingress}/benefits`);
        await signIn(page);
        await page.waitForURL((url) => url.origin === ingress);
        assert.equal(await page.locator("#token").count(), 0);
        tamper = undefined;
        const session = await page.request.get(`${ingress}/oauth2/session`);
        assert.equal(session.status(), 401);
      } finally {
        tamper = undefined;
        await context.close();
      }
    });
  }
});

// The token API with a provider that is not ours: oidc-provider gives the application a token, and the API says what is
// in it, and what is wrong with others.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Running } from "@portvakt/runtime/process";
import * as tokens from "@portvakt/tokens";
import { decodeJwt, exportJWK } from "jose";
import { errors, Provider } from "oidc-provider";
import { foreignKey, listen, startApp } from "./starting.ts";
import type { ForeignKey } from "./starting.ts";

const api = "https://api.example";
/** Whose tokens are by reference: only the provider can say what they stand for. */
const opaqueApi = "https://opaque.example";

let provider: { server: Server; url: string };
let providerKey: ForeignKey;
let running: Running;
let folder: string;
/** The token that the provider issued last. */
let issued: { destroy(): Promise<void> } | undefined;

async function startProvider(jwk: object): Promise<{ server: Server; url: string }> {
  let callback: ReturnType<Provider["callback"]> | undefined;
  const listening = await listen((request, response) => void callback?.(request, response));
  const own = { ...(await exportJWK(providerKey.privateKey)), kid: "provider-1", alg: "RS256", use: "sig" };
  const made = new Provider(listening.url, {
    clients: [
      {
        client_id: "payout-job",
        redirect_uris: [],
        response_types: [],
        grant_types: ["client_credentials"],
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [jwk] },
      },
    ],
    jwks: { keys: [own] },
    scopes: ["tax:read"],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => {
          if (resource === opaqueApi)
            return { scope: "tax:read", audience: opaqueApi, accessTokenFormat: "opaque" };
          if (resource !== api) throw new errors.InvalidTarget();
          return {
            scope: "tax:read",
            audience: api,
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "RS256" } },
          };
        },
      },
    },
  });
  made.on("client_credentials.saved", (token) => (issued = token));
  callback = made.callback();
  return listening;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "portvakt-peers-"));
  const key = await foreignKey("job-1");
  providerKey = await foreignKey("provider-1");
  provider = await startProvider(key.jwk);
  const file = join(folder, "job.jwk");
  await writeFile(file, JSON.stringify({ ...(await exportJWK(key.privateKey)), kid: "job-1", alg: "RS256" }));
  const configured = {
    name: "peer",
    well_known_url: `${provider.url}/.well-known/openid-configuration`,
    client_id: "payout-job",
    client_jwk_file: file,
    audience: api,
    token: "client_credentials",
  };
  running = await startApp(tokens, {
    PORTVAKT_TOKENS_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENS_PROVIDERS: JSON.stringify([
      configured,
      { ...configured, name: "opaque", audience: opaqueApi },
    ]),
  });
});

after(async () => {
  await running.close();
  provider.server.closeAllConnections();
  provider.server.close();
  await rm(folder, { recursive: true });
});

async function post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${running.addresses["tokens"]}/api/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const introspected = async (token: string): Promise<Record<string, unknown>> =>
  (await post("introspect", { identity_provider: "peer", token })).body;

describe("oidc-provider", () => {
  test("gives a token by client credentials with private_key_jwt, and introspection knows it", async () => {
    const { status, body } = await post("token", {
      identity_provider: "peer",
      target: "tax:read",
      resource: api,
    });
    assert.equal(status, 200, JSON.stringify(body));
    const token = String(body["access_token"]);
    assert.equal(decodeJwt(token).aud, api);
    const answer = await introspected(token);
    assert.equal(answer["active"], true, JSON.stringify(answer));
    assert.equal(answer["client_id"], "payout-job");
  });

  test("RFC 8707 section 2: its refusal comes through as the OAuth error that it is", async () => {
    const ask = { identity_provider: "peer", target: "tax:read", resource: "https://nobody.example" };
    const { status, body } = await post("token", ask);
    assert.deepEqual([status, body["error"]], [400, "invalid_target"]);
  });

  test("RFC 7515 section 5.2: a token by another key under its name is not active", async () => {
    const forged = await (
      await foreignKey("provider-1")
    ).sign({ iss: provider.url, aud: api, sub: "payout-job" }, "at+jwt");
    const answer = await introspected(forged);
    assert.equal(answer["active"], false);
    const right = await providerKey.sign(
      { iss: provider.url, aud: api, sub: "payout-job", client_id: "payout-job" },
      "at+jwt",
    );
    assert.equal((await introspected(right))["active"], true, "the same claims by the right key are");
  });

  test("RFC 7519 section 4.1.3: a token for another API is not active", async () => {
    const other = await providerKey.sign(
      { iss: provider.url, aud: "https://other.example", sub: "x", client_id: "x" },
      "at+jwt",
    );
    assert.equal((await introspected(other))["active"], false);
  });

  test("RFC 7662 section 2: a by-reference token is asked about at the provider, each time, and for us alone", async () => {
    const ask = { identity_provider: "opaque", target: "tax:read", resource: opaqueApi };
    const token = String((await post("token", ask)).body["access_token"]);
    assert.ok(!token.includes("."), "by reference");
    const about = async (name: string) => (await post("introspect", { identity_provider: name, token })).body;
    const answer = await about("opaque");
    assert.deepEqual([answer["active"], answer["client_id"]], [true, "payout-job"], JSON.stringify(answer));
    assert.equal((await about("peer"))["active"], false, "it is for another audience than this one's");
    await issued?.destroy();
    assert.equal((await about("opaque"))["active"], false, "withdrawn, and known at once");
  });
});

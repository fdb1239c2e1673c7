// The token API as its guide hardens it, behind a Unix socket, with a shared secret and tokens bound to its key; and the SDK with the same
// two variables.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import type { Running } from "@portvakt/runtime/process";
import { createSdk } from "@portvakt/sdk";
import * as tokens from "@portvakt/tokens";

const now = (): number => 1_800_000_000;
const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const jwk = JSON.stringify({ ...(await exportJWK(privateKey)), kid: "own", alg: "RS256" });

describe("the SDK and a hardened token API", () => {
  const thumbprints: (string | undefined)[] = [];
  const provider = createServer(async (request, response) => {
    const proof = request.headers["dpop"];
    if (typeof proof === "string")
      thumbprints.push(await calculateJwkThumbprint(decodeProtectedHeader(proof).jwk ?? {}));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ access_token: "a.bound.token", token_type: "DPoP", expires_in: 600 }));
  });
  let folder: string;
  let beside: Running;
  let hardening: { PORTVAKT_TOKENS_SOCKET_PATH: string; PORTVAKT_TOKENS_SHARED_SECRET_FILE: string };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "portvakt-hardened-"));
    const secret = join(folder, "secret");
    await writeFile(secret, "a-secret-of-this-pod\n");
    const socket = join(folder, "tokens.sock");
    hardening = { PORTVAKT_TOKENS_SOCKET_PATH: socket, PORTVAKT_TOKENS_SHARED_SECRET_FILE: secret };
    await once(provider.listen(0, "127.0.0.1"), "listening");
    const at = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const settings = readSettings(tokens.settings, {
      ...hardening,
      PORTVAKT_TOKENS_DPOP_PROVIDERS: "entra_id",
      PORTVAKT_TOKENS_READY_WITHIN: "0",
      AZURE_ENABLED: "true",
      AZURE_APP_CLIENT_ID: "me",
      AZURE_APP_JWK: jwk,
      AZURE_OPENID_CONFIG_ISSUER: at,
      AZURE_OPENID_CONFIG_JWKS_URI: `${at}/keys`,
      AZURE_OPENID_CONFIG_TOKEN_ENDPOINT: `${at}/token`,
    });
    const log = createLogger({ name: "chain", destination: { write: () => undefined } });
    beside = await tokens.start(settings, { now, log, metrics: createMetrics() });
  });
  after(async () => {
    await beside.close();
    provider.closeAllConnections();
    provider.close();
    await rm(folder, { recursive: true });
  });

  test("RFC 9449 sections 5 and 7: a bound token, and the proof for a request by the key that it is bound to", async () => {
    const sdk = createSdk({ env: hardening, now });
    const result = await sdk.requestAzureClientCredentialsToken("local:b:api");
    assert.ok(result.ok && result.expiresIn > 590);
    assert.deepEqual([result.token, result.tokenType], ["a.bound.token", "DPoP"]);
    const url = "https://api.example/cases";
    const made = await sdk.dpopProof({ method: "GET", url, token: "a.bound.token", nonce: "n" });
    assert.ok(made.ok);
    const { htm, htu, nonce } = decodeJwt(made.proof);
    assert.deepEqual([htm, htu, nonce], ["GET", url, "n"]);
    assert.deepEqual(thumbprints, [
      await calculateJwkThumbprint(decodeProtectedHeader(made.proof).jwk ?? {}),
    ]);
  });

  test("without the secret there is no token, and the reason is told", async () => {
    const { PORTVAKT_TOKENS_SOCKET_PATH } = hardening;
    const sdk = createSdk({ env: { PORTVAKT_TOKENS_SOCKET_PATH }, now });
    const result = await sdk.requestAzureClientCredentialsToken("local:b:api");
    assert.ok(!result.ok && result.code === "invalid_client");
    assert.match(result.error.message, /shared secret/);
  });
});

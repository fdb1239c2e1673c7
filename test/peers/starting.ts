// Starts servers of ours in the test's own process, and issuers that are not ours.

import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readSettings } from "@portvakt/runtime/config";
import type { Environment, Schema, SettingsOf } from "@portvakt/runtime/config";
import { createLogger, createMetrics, Secret } from "@portvakt/runtime/observe";
import type { Running, Tools } from "@portvakt/runtime/process";
import { openSqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JWK, JWTPayload } from "jose";

/** The real clock, in seconds: the other side of these tests has no other. */
export const now = (): number => Date.now() / 1000;

/** Starts an app by its public entry, as its main.ts would. */
export async function startApp<S extends Schema>(
  app: {
    readonly settings: S;
    readonly start: (settings: SettingsOf<S>, tools: Tools) => Promise<Running>;
  },
  env: Environment,
): Promise<Running> {
  const log = createLogger({ name: "test", level: "error" });
  return app.start(readSettings(app.settings, env), { now, log, metrics: createMetrics() });
}

/** A server on a free port of the loopback interface. */
export async function listen(handle: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Keys and signing by jose alone, nothing of ours. */
export interface ForeignKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  sign(claims: JWTPayload, typ?: string): Promise<string>;
}

export async function foreignKey(kid: string, alg = "RS256"): Promise<ForeignKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  const sign = async (claims: JWTPayload, typ = "JWT"): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg, kid, typ })
      .setIssuedAt()
      .setExpirationTime("60s")
      .sign(privateKey);
  return { privateKey, jwk, sign };
}

/** An identity provider that is nothing but metadata and a key set. */
export async function foreignIssuer(): Promise<{ url: string; key: ForeignKey; server: Server }> {
  const key = await foreignKey("issuer-1");
  const { server, url } = await listen((request, response) => {
    const documents: Record<string, unknown> = {
      "/.well-known/openid-configuration": { issuer: url, jwks_uri: `${url}/jwks` },
      "/jwks": { keys: [key.jwk] },
    };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(documents[request.url ?? ""] ?? {}));
  });
  return { url, key, server };
}

/** A new database on the real PostgreSQL server, gone when the server is. */
export async function freshDatabase(name: string): Promise<string> {
  const url = new URL(process.env["PORTVAKT_TEST_POSTGRES_URL"] ?? "");
  const admin = await openSqlDatabase({
    url: new Secret(url.href),
    log: createLogger({ name: "test", level: "error" }),
  });
  await sql`create database ${sql.id(name)}`.execute(admin.query);
  await admin.close();
  url.pathname = `/${name}`;
  return url.href;
}

/** A TokenX of one's own, with a registrar, applications and a provider of subject tokens, over real HTTP. Everything is signed with jose. */
import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey, JWK, JWTPayload } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import type { Running, Tools } from "@portvakt/runtime/process";
import { settings as schema, start } from "../src/index.ts";
import { freshDatabase } from "./database.ts";

export interface Party {
  readonly key: CryptoKey;
  readonly jwk: JWK;
  readonly alg: string;
}

export async function party(kid: string = randomUUID(), alg = "ES256"): Promise<Party> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }, alg };
}

export function signed(
  by: Party,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: by.alg, kid: by.jwk.kid ?? "", ...header })
    .sign(by.key);
}

/** A provider with nothing but metadata and keys; tests sign its tokens. */
export interface Provider extends Party {
  readonly issuer: string;
  readonly wellKnown: string;
  close(): Promise<void>;
}

export async function provider(port = 0): Promise<Provider> {
  const own = await party();
  let issuer = "";
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    const isKeys = request.url === "/jwks";
    response.end(JSON.stringify(isKeys ? { keys: [own.jwk] } : { issuer, jwks_uri: `${issuer}/jwks` }));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...own, issuer, wellKnown: `${issuer}/.well-known/openid-configuration`, close };
}

export interface Clock {
  now: number;
}

/** What replicas of one TokenX have in common. */
export interface Shared {
  readonly issuer: string;
  readonly clock: Clock;
  readonly registrar: Party;
  readonly idporten: Provider;
  readonly apps: Map<string, Party>;
}

export interface Platform extends Shared {
  readonly logged: string[];
  readonly running: Running;
  readonly metrics: () => Promise<string>;
  register(
    id: string,
    statement?: Record<string, unknown>,
    body?: Record<string, unknown>,
  ): Promise<Response>;
  assertion(id: string, claims?: JWTPayload, header?: Record<string, unknown>): Promise<string>;
  subjectToken(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  exchange(
    by: string,
    form: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
  post(
    form: Record<string, string> | URLSearchParams,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
  statement(claims: Record<string, unknown>): Promise<string>;
  bearer(claims?: JWTPayload): Promise<string>;
  close(): Promise<void>;
}

export const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
export const jwtType = "urn:ietf:params:oauth:token-type:jwt";
export const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export interface PlatformOptions {
  readonly env?: Record<string, string>;
  readonly clock?: Clock;
  /** On embedded PGlite in memory; absent = on a PostgreSQL database of its own, which starts faster. */
  readonly embedded?: boolean;
  /** Another replica of a platform: the same registrar, provider, applications and issuer. */
  readonly beside?: Shared;
}

export const resource = "https://platform.example";

/** The settings that a platform starts with, for whoever starts something else with them. */
export function settingsOf(
  shared: Omit<Shared, "issuer" | "apps" | "clock">,
  env: Record<string, string | undefined> = {},
) {
  return readSettings(schema, {
    PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENX_DATA_DIRECTORY: "memory",
    PORTVAKT_TOKENX_POLL_INTERVAL: "1h",
    SUBJECT_TOKEN_ISSUERS: shared.idporten.wellKnown,
    PORTVAKT_TOKENX_SUBJECT_RULES: JSON.stringify({ [shared.idporten.wellKnown]: { audiences: [resource] } }),
    AUTH_CLIENT_ID: "registrar",
    AUTH_CLIENT_JWKS: JSON.stringify({ keys: [shared.registrar.jwk] }),
    ...env,
  });
}

async function databaseOf({ embedded, env }: PlatformOptions): Promise<Record<string, string>> {
  if (embedded === true || env?.["DATABASE_URL"] !== undefined) return {};
  return {
    DATABASE_URL: await freshDatabase(),
    PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64"),
  };
}

export async function platform(options: PlatformOptions = {}): Promise<Platform> {
  const { beside } = options;
  const clock = options.clock ?? beside?.clock ?? { now: 1_750_000_000 };
  const registrar = beside?.registrar ?? (await party("registrar", "RS256"));
  const idporten = beside?.idporten ?? (await provider());
  const logged: string[] = [];
  const metrics = createMetrics();
  const tools: Tools = {
    now: () => clock.now,
    log: createLogger({ name: "tokenx", destination: { write: (line) => void logged.push(line) } }),
    metrics,
  };
  const settings = settingsOf(
    { registrar, idporten },
    { ISSUER_URL: beside?.issuer, ...(await databaseOf(options)), ...options.env },
  );
  const running = await start(settings, tools);
  const url = running.addresses["tokenx"] ?? "";
  const issuer = settings.issuer ?? url;
  const apps = beside?.apps ?? new Map<string, Party>();
  const self: Platform = {
    issuer,
    clock,
    registrar,
    idporten,
    apps,
    logged,
    running,
    metrics: () => metrics.render(),
    bearer: (claims) =>
      signed(registrar, {
        iss: "registrar",
        sub: "registrar",
        aud: issuer,
        iat: clock.now,
        exp: clock.now + 60,
        ...claims,
      }),
    statement: (claims) =>
      signed(registrar, {
        iss: "registrar",
        iat: clock.now,
        exp: clock.now + 60,
        jti: randomUUID(),
        ...claims,
      }),
    register: async (id, statement = {}, body = {}) => {
      const app = apps.get(id) ?? (await party());
      apps.set(id, app);
      return fetch(`${url}/registration/client`, {
        method: "POST",
        headers: { authorization: `Bearer ${await self.bearer()}`, "content-type": "application/json" },
        body: JSON.stringify({
          client_name: id,
          jwks: { keys: [app.jwk] },
          software_statement: await self.statement({ appId: id, accessPolicyInbound: [], ...statement }),
          grant_types: [exchangeGrant],
          ...body,
        }),
      });
    },
    assertion: async (id, claims, header) => {
      const times = { iat: clock.now, nbf: clock.now, exp: clock.now + 60 };
      return signed(
        apps.get(id)!,
        { iss: id, sub: id, aud: issuer, jti: randomUUID(), ...times, ...claims },
        header,
      );
    },
    subjectToken: (claims, header) =>
      signed(
        idporten,
        {
          iss: idporten.issuer,
          sub: "pairwise",
          pid: "12345678901",
          acr: "idporten-loa-high",
          aud: resource,
          scope: "openid profile",
          client_id: "portal-at-idporten",
          iat: clock.now,
          exp: clock.now + 600,
          ...claims,
        },
        header,
      ),
    exchange: async (by, form) =>
      self.post({
        grant_type: exchangeGrant,
        client_assertion_type: assertionType,
        client_assertion: form["client_assertion"] ?? (await self.assertion(by)),
        subject_token_type: jwtType,
        ...form,
      }),
    post: async (form) => {
      const response = await fetch(`${url}/token`, { method: "POST", body: new URLSearchParams(form) });
      return {
        status: response.status,
        body: (await response.json()) as Record<string, unknown>,
        headers: response.headers,
      };
    },
    close: async () => {
      await running.close();
      if (beside === undefined) await idporten.close();
    },
  };
  return self;
}

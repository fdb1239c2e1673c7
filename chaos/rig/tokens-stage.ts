// A token API of one application, the stand-ins for its providers, and a way between them.
import { randomUUID } from "node:crypto";
import { createSigner, generatePrivateJwk, publicJwkOf } from "@portvakt/oauth";
import type { JWK } from "@portvakt/oauth";
import { createLogger } from "@portvakt/runtime/observe";
import { openStandins } from "@portvakt/standins";
import type { Standins } from "@portvakt/standins";
import { send } from "./client.ts";
import type { Answer } from "./client.ts";
import { freePort } from "./programs.ts";
import { startServer } from "./servers.ts";
import type { Server } from "./servers.ts";
import { openWay } from "./way.ts";
import type { Way } from "./way.ts";

export interface TokensStage extends AsyncDisposable {
  readonly standins: Standins;
  /** The way to Entra ID; Maskinporten is reached without one. */
  readonly way: Way;
  /** Starts another token API with the same settings. */
  start(): Promise<Server>;
  readonly server: Server;
  /** A token for the application itself. */
  token(what: { provider: "entra_id" | "maskinporten"; fresh: boolean; on?: Server }): Promise<Answer>;
  /** What the API says of a token: "active", its reason, or a status. */
  introspect(token: string, on?: Server): Promise<string>;
  /** An employee's token for this application, each a new one. */
  employeeToken(): Promise<string>;
  /** The same, signed by a key that nobody published. */
  forgedToken(): Promise<string>;
  /** How often the keys of Entra ID were fetched. */
  keyFetches(): number;
}

const scope = "chaos:read";
const clientId = "0c0ffee0-0000-4000-8000-000000000001";
/** Two applications, so that a token of the one is never asked for anew. */
const targets = {
  cached: "0c0ffee0-0000-4000-8000-000000000002",
  fresh: "0c0ffee0-0000-4000-8000-000000000003",
};
const machineClient = "chaos-maskinporten";

function register(standins: Standins, key: JWK & { kty: string }): void {
  const admitted = { cluster: "local", namespace: "chaos", application: "api" };
  const [jwks, orgno] = [{ keys: [key] }, "889640782"];
  standins.register({
    entra: {
      applications: [
        { client_id: clientId, name: "local:chaos:api", jwks },
        { client_id: targets.cached, name: "local:chaos:cached", inbound: [admitted] },
        { client_id: targets.fresh, name: "local:chaos:fresh", inbound: [admitted] },
      ],
    },
    maskinporten: {
      clients: [{ client_id: machineClient, orgno, jwks, scopes: [scope] }],
      scopes: [{ name: scope, consumers: [orgno] }],
    },
  });
}

function environment(standins: Standins, clientJwk: string): Record<string, string> {
  return {
    PORTVAKT_TOKENS_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENS_SHUTDOWN_GRACE: "1s",
    AZURE_ENABLED: "true",
    AZURE_APP_CLIENT_ID: clientId,
    AZURE_APP_JWK: clientJwk,
    AZURE_APP_WELL_KNOWN_URL: `${standins.issuers.entra}/.well-known/openid-configuration`,
    MASKINPORTEN_ENABLED: "true",
    MASKINPORTEN_CLIENT_ID: machineClient,
    MASKINPORTEN_CLIENT_JWK: clientJwk,
    MASKINPORTEN_WELL_KNOWN_URL: `${standins.issuers.maskinporten}.well-known/oauth-authorization-server`,
  };
}

const headers = { "content-type": "application/json" };

function post(server: Server, path: string, body: unknown): Promise<Answer> {
  const port = Number(new URL(server.addresses["tokens"] ?? "").port);
  return send({ port, path, method: "POST", headers, body: JSON.stringify(body) });
}

/** Puts everything on stage, on free ports. */
export async function openTokensStage(): Promise<TokensStage> {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const way = stack.use(await openWay(() => port));
  const standins = await openStandins({
    now: () => Date.now() / 1000,
    log: createLogger({ name: "standins", level: "silent" }),
    publicUrls: { entra: `http://localhost:${way.port}` },
    addresses: { entra: { host: "127.0.0.1", port } },
  });
  stack.use(standins);
  const privateJwk = await generatePrivateJwk();
  register(standins, { ...publicJwkOf(privateJwk), kty: "RSA" });
  const env = environment(standins, JSON.stringify(privateJwk));
  const forger = await generatePrivateJwk();
  const server = stack.use(await startServer("tokens", env));
  const kept = stack.move();
  const order = { provider: "entra", persona: "anna", client_id: clientId, audience: clientId } as const;
  return {
    standins,
    way,
    server,
    start: async () => kept.use(await startServer("tokens", env)),
    token({ provider, fresh, on = server }) {
      const target =
        provider === "maskinporten" ? scope : `api://${targets[fresh ? "fresh" : "cached"]}/.default`;
      return post(on, "/api/v1/token", { identity_provider: provider, target, skip_cache: fresh });
    },
    async introspect(token, on = server) {
      const answer = await post(on, "/api/v1/introspect", { identity_provider: "entra_id", token });
      if (answer.status !== 200) return String(answer.status);
      const { active, error } = JSON.parse(answer.body) as { active: boolean; error?: string };
      return active
        ? "active"
        : `inactive (${error ?? ""})`.replaceAll(/http\S+|\d+ s ago|"[\w-]{43}"|\d+ s$/gu, "…");
    },
    employeeToken: () => standins.issue({ ...order, expiresIn: 3600, claims: { jti: randomUUID() } }),
    forgedToken: async () => {
      const signer = await createSigner({ ...forger, kid: randomUUID() });
      const iat = Math.floor(Date.now() / 1000);
      const claims = { iss: standins.issuers.entra, aud: clientId, sub: "x", iat, nbf: iat, exp: iat + 600 };
      return signer.sign(claims, { typ: "JWT" });
    },
    keyFetches: () => standins.requests({ provider: "entra", endpoint: "jwks" }).length,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

// Replicas of the login proxy on one Redis, a stand-in for ID-porten, and an application behind them.
import { randomBytes } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { generatePrivateJwk, peekJwt, publicJwkOf } from "@portvakt/oauth";
import { createLogger } from "@portvakt/runtime/observe";
import { openStandins } from "@portvakt/standins";
import type { Standins } from "@portvakt/standins";
import { browse, send } from "./client.ts";
import type { Answer, Ask } from "./client.ts";
import { freePort, startRedis } from "./programs.ts";
import type { Store } from "./programs.ts";
import { startServer } from "./servers.ts";
import type { Server } from "./servers.ts";
import { openWay } from "./way.ts";
import type { Way } from "./way.ts";

const clientId = "chaos-portal";
const ingress = "http://localhost:1";

export interface LoginStageOptions {
  readonly replicas?: number;
  /** Seconds. */
  readonly tokenLifetime?: number;
  /** Whether the provider takes a refresh token once only, as ID-porten does by default. */
  readonly refreshTokens?: "ONETIME" | "REUSE";
  readonly env?: Readonly<Record<string, string>>;
}

/** A request as it reached the application. */
export interface Arrived {
  readonly path: string;
  /** The access token, or undefined. */
  readonly token: string | undefined;
}

export interface LoginStage extends AsyncDisposable {
  readonly replicas: readonly Server[];
  readonly standins: Standins;
  readonly redis: Store;
  readonly ways: { readonly store: Way; readonly provider: Way; readonly application: Way };
  /** What reached the application, in order. */
  readonly arrived: Arrived[];
  /** Signs a persona in through a replica; gives the cookies. */
  signIn(persona: string, replica?: number): Promise<string>;
  ask(replica: number, request: Omit<Ask, "port">): Promise<Answer>;
  /** Where a replica listens. */
  portOf(replica: number): number;
  /** Moves the clock of everything: the replicas' and the provider's. */
  moveClocks(offsetSeconds: number): Promise<void>;
  /** Refreshes that reached the provider, by the status that it answered. */
  refreshes(): readonly number[];
}

/** The application: says whose token it was given. An event stream under /events, and whatever upgrades stays open. */
async function openApplication(arrived: Arrived[]): Promise<http.Server> {
  const application = http.createServer((request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /u, "");
    arrived.push({ path: request.url ?? "", token });
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: hello\n\n");
    } else response.end(JSON.stringify({ sub: token === undefined ? null : peekJwt(token)?.claims.sub }));
  });
  application.on("upgrade", (request, socket) => {
    arrived.push({ path: request.url ?? "", token: request.headers.authorization?.replace(/^Bearer /u, "") });
    socket.on("error", () => undefined);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));
  return application;
}

const portIn = (url: string | undefined): number => Number(new URL(url ?? "").port);

/** Puts everything on stage, on free ports. */
export async function openLoginStage(options: LoginStageOptions = {}): Promise<LoginStage> {
  await using stack = new AsyncDisposableStack();
  const arrived: Arrived[] = [];
  const application = await openApplication(arrived);
  stack.defer(() => {
    application.closeAllConnections();
    application.close();
  });
  const redis = stack.use(await startRedis());
  const providerPort = await freePort();
  const ways = {
    store: stack.use(await openWay(() => redis.port)),
    provider: stack.use(await openWay(() => providerPort)),
    application: stack.use(await openWay(() => (application.address() as AddressInfo).port)),
  };
  const privateJwk = await generatePrivateJwk();
  const standins = stack.use(await openProvider(ways.provider, providerPort));
  standins.register({
    idporten: {
      clients: [
        {
          client_id: clientId,
          jwks: { keys: [{ ...publicJwkOf(privateJwk), kty: "RSA" }] },
          redirect_uris: [`${ingress}/oauth2/callback`],
          access_token_lifetime: options.tokenLifetime ?? 300,
          authorization_lifetime: 36_000,
          refresh_token_usage: options.refreshTokens ?? "ONETIME",
        },
      ],
    },
  });
  const env = { ...environment(ways, JSON.stringify(privateJwk)), ...options.env };
  const count = options.replicas ?? 3;
  const replicas = await Promise.all(Array.from({ length: count }, () => startServer("login", env)));
  for (const replica of replicas) stack.use(replica);
  const kept = stack.move();
  return stageOf({ replicas, standins, redis, ways, arrived }, () => kept.disposeAsync());
}

/** The stand-ins, which know themselves by the way's address: nobody reaches them but by it. */
function openProvider(way: Way, port: number): Promise<Standins> {
  return openStandins({
    now: () => Date.now() / 1000,
    log: createLogger({ name: "standins", level: "silent" }),
    publicUrls: { idporten: `http://localhost:${way.port}` },
    addresses: { idporten: { host: "127.0.0.1", port } },
  });
}

function environment(ways: LoginStage["ways"], clientJwk: string): Record<string, string> {
  return {
    PORTVAKT_LOGIN_STATUS_ADDRESS: "127.0.0.1:0",
    PORTVAKT_LOGIN_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_LOGIN_INGRESSES: ingress,
    PORTVAKT_LOGIN_UPSTREAM_HOST: `127.0.0.1:${ways.application.port}`,
    PORTVAKT_LOGIN_COOKIE_SECURE: "false",
    PORTVAKT_LOGIN_AUTO_LOGIN: "true",
    PORTVAKT_LOGIN_ENCRYPTION_KEYS: randomBytes(32).toString("base64"),
    PORTVAKT_LOGIN_REDIS_URI: `redis://127.0.0.1:${ways.store.port}`,
    PORTVAKT_LOGIN_PROVIDER: "idporten",
    PORTVAKT_LOGIN_SHUTDOWN_GRACE: "1s",
    IDPORTEN_CLIENT_ID: clientId,
    IDPORTEN_CLIENT_JWK: clientJwk,
    IDPORTEN_WELL_KNOWN_URL: `http://localhost:${ways.provider.port}/.well-known/openid-configuration`,
  };
}

type Parts = Omit<
  LoginStage,
  "signIn" | "ask" | "portOf" | "moveClocks" | "refreshes" | typeof Symbol.asyncDispose
>;

function stageOf(parts: Parts, dispose: () => Promise<void>): LoginStage {
  const { replicas, standins } = parts;
  const portOf = (replica: number): number => portIn(replicas[replica]?.addresses["public"]);
  const { host } = new URL(ingress);
  return {
    ...parts,
    portOf,
    async signIn(persona, replica = 0) {
      const start = new URL(`${ingress}/oauth2/login?redirect=/&login_hint=${persona}`);
      const { answer, cookie } = await browse(start, (at) =>
        at === host ? portOf(replica) : Number(new URL(`http://${at}`).port),
      );
      if (answer.status !== 200) throw new Error(`signing in ended with ${answer.status}`);
      return cookie;
    },
    ask: (replica, request) =>
      send({ ...request, port: portOf(replica), headers: { host, ...request.headers } }),
    async moveClocks(offsetSeconds) {
      standins.moveClock(offsetSeconds);
      await Promise.all(replicas.map((replica) => replica.moveClock(offsetSeconds)));
    },
    refreshes: () =>
      standins.requests({ endpoint: "token", grant_type: "refresh_token" }).map(({ status }) => status),
    [Symbol.asyncDispose]: dispose,
  };
}

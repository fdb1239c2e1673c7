// Replicas of TokenX on one PostgreSQL, a registrar, applications, and citizens' tokens to exchange.
import { randomBytes } from "node:crypto";
import {
  clientAssertionType,
  createSigner,
  generatePrivateJwk,
  grantTypes,
  publicJwkOf,
  randomToken,
  tokenTypes,
} from "@portvakt/oauth";
import type { Signer } from "@portvakt/oauth";
import { createLogger } from "@portvakt/runtime/observe";
import { openStandins } from "@portvakt/standins";
import type { Standins } from "@portvakt/standins";
import { send } from "./client.ts";
import type { Answer } from "./client.ts";
import { startPostgres } from "./programs.ts";
import type { Store } from "./programs.ts";
import { startServer } from "./servers.ts";
import type { Server } from "./servers.ts";

export const caller = "local:chaos:caller";
export const target = "local:chaos:target";
const issuer = "http://localhost:1";
const citizenClient = "chaos-portal";

export interface TokenxStage extends AsyncDisposable {
  readonly replicas: readonly Server[];
  readonly database: Store;
  /** Registers an application, or registers it anew. The target admits whoever is named in `inbound`. */
  register(replica: number, id: string, inbound?: readonly string[]): Promise<Answer>;
  remove(replica: number, id: string): Promise<Answer>;
  /** Proof of who calls, good for one request. */
  assertion(id: string): Promise<string>;
  /** Exchanges a citizen's token; with an assertion of its own unless one is given. */
  exchange(replica: number, id: string, assertion?: string): Promise<Answer>;
  /** A replica's document at a path. */
  read(replica: number, path: string): Promise<Answer>;
  /** Moves the clocks of replicas, provider and clients. */
  moveClocks(offsetSeconds: number): Promise<void>;
  /** The stage's clock, seconds since the epoch. */
  now(): number;
}

interface Parties {
  readonly standins: Standins;
  readonly registrar: Signer;
  readonly signers: Map<string, Signer>;
}

const portOf = (server: Server | undefined): number =>
  Number(new URL(server?.addresses["tokenx"] ?? "").port);

const newSigner = async (): Promise<Signer> => createSigner(await generatePrivateJwk("ES256"));

/** Puts everything on stage, on free ports; the replicas start at the same moment, on an empty database. */
export async function openTokenxStage(
  options: { readonly replicas?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<TokenxStage> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await startPostgres());
  const log = createLogger({ name: "standins", level: "silent" });
  const standins = stack.use(await openStandins({ now: () => Date.now() / 1000, log }));
  standins.register({
    idporten: { clients: [{ client_id: citizenClient, token_endpoint_auth_method: "none" }] },
  });
  const parties = { standins, registrar: await newSigner(), signers: new Map<string, Signer>() };
  const env = {
    PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENX_ISSUER: issuer,
    PORTVAKT_TOKENX_DATABASE_URL: database.url,
    PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64"),
    PORTVAKT_TOKENX_SUBJECT_ISSUERS: `${standins.issuers.idporten}/.well-known/openid-configuration`,
    PORTVAKT_TOKENX_REGISTRAR_ID: "registrar",
    PORTVAKT_TOKENX_REGISTRAR_JWKS: JSON.stringify({ keys: [publicJwkOf(parties.registrar.publicJwk)] }),
    PORTVAKT_TOKENX_SIGNING_ALGORITHMS: "ES256",
    PORTVAKT_TOKENX_SHUTDOWN_GRACE: "1s",
    ...options.env,
  };
  const count = options.replicas ?? 3;
  const replicas = await Promise.all(Array.from({ length: count }, () => startServer("tokenx", env)));
  for (const replica of replicas) stack.use(replica);
  const kept = stack.move();
  return stageOf({ replicas, database, parties, dispose: () => kept.disposeAsync() });
}

function stageOf(parts: {
  replicas: readonly Server[];
  database: Store;
  parties: Parties;
  dispose: () => Promise<void>;
}): TokenxStage {
  const { replicas, database, parties } = parts;
  let offset = 0;
  const now = (): number => Date.now() / 1000 + offset;
  const assertion = (id: string): Promise<string> =>
    signedBy(signerOf(parties, id), now(), { iss: id, sub: id, aud: issuer });
  return {
    replicas,
    database,
    now,
    assertion,
    register: async (replica, id, inbound = []) =>
      send(await registration(portOf(replicas[replica]), parties, { id, inbound, now: now() })),
    async remove(replica, id) {
      const path = `/registration/client/${id}`;
      const headers = { authorization: `Bearer ${await registrarToken(parties, now())}` };
      return send({ port: portOf(replicas[replica]), path, method: "DELETE", headers });
    },
    async exchange(replica, id, given) {
      const form = new URLSearchParams({
        grant_type: grantTypes.tokenExchange,
        client_assertion_type: clientAssertionType,
        client_assertion: given ?? (await assertion(id)),
        subject_token_type: tokenTypes.jwt,
        subject_token: await citizenToken(parties.standins),
        audience: target,
      });
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      return send({
        port: portOf(replicas[replica]),
        path: "/token",
        method: "POST",
        headers,
        body: form.toString(),
      });
    },
    read: (replica, path) => send({ port: portOf(replicas[replica]), path }),
    async moveClocks(seconds) {
      // The replicas first: what a client signs must not be from their future.
      await Promise.all(replicas.map((replica) => replica.moveClock(seconds)));
      offset = seconds;
      parties.standins.moveClock(seconds);
    },
    [Symbol.asyncDispose]: parts.dispose,
  };
}

function signerOf({ signers }: Parties, id: string): Signer {
  const signer = signers.get(id);
  if (signer === undefined) throw new Error(`${id} has no key`);
  return signer;
}

function signedBy(signer: Signer, at: number, claims: Record<string, unknown>): Promise<string> {
  const iat = Math.floor(at);
  return signer.sign({ iat, nbf: iat, exp: iat + 110, jti: randomToken(), ...claims });
}

function citizenToken(standins: Standins): Promise<string> {
  return standins.issue({ provider: "idporten", persona: "kari", client_id: citizenClient, expiresIn: 3600 });
}

const registrarToken = ({ registrar }: Parties, at: number): Promise<string> =>
  signedBy(registrar, at, { iss: "registrar", sub: "registrar", aud: issuer });

/** A registration as a platform's registrar sends it (RFC 7591 with a software statement). */
async function registration(
  port: number,
  parties: Parties,
  what: { id: string; inbound: readonly string[]; now: number },
): Promise<Parameters<typeof send>[0]> {
  const { id, inbound } = what;
  const signer = parties.signers.get(id) ?? (await newSigner());
  parties.signers.set(id, signer);
  const statement = {
    iss: "registrar",
    sub: "registrar",
    aud: issuer,
    appId: id,
    accessPolicyInbound: inbound,
    accessPolicyOutbound: [],
    portvakt_subject_clients: { [parties.standins.issuers.idporten]: [citizenClient] },
  };
  const body = {
    client_name: id,
    jwks: { keys: [signer.publicJwk] },
    software_statement: await signedBy(parties.registrar, what.now, statement),
    scopes: [],
    grant_types: [grantTypes.tokenExchange],
  };
  const authorization = `Bearer ${await registrarToken(parties, what.now)}`;
  const headers = { authorization, "content-type": "application/json" };
  return { port, path: "/registration/client", method: "POST", headers, body: JSON.stringify(body) };
}

import { createSigner, grantTypes, peekJwt, randomToken, type JWK } from "@portvakt/oauth";
import type { Application } from "@portvakt/policy";
import { CommandError } from "../failure.ts";

/** How TokenX is told of clients: where it is, and as whom. */
export interface RegistrarOptions {
  /** TokenX's issuer identifier, which is also its address. */
  readonly issuer: string;
  /** The registrar's name and private key, which TokenX knows the public half of. */
  readonly id: string;
  readonly key: JWK;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/** A client to register: its application, its public keys (the current one first), and the subject tokens that are its own. */
export interface ClientToRegister {
  readonly application: Application;
  readonly keys: readonly JWK[];
  readonly subjectClients?: Readonly<Record<string, readonly string[]>>;
}

/** A client as TokenX knows it. */
export interface KnownClient {
  readonly id: string;
  readonly keyIds: readonly string[];
  /** Whose tokens of which issuer are its own, as it was registered last. */
  readonly subjectClients: Readonly<Record<string, readonly string[]>> | undefined;
  /** The claims of its software statement. */
  readonly statement: Readonly<Record<string, unknown>>;
}

/** The platform's registrar at one TokenX. Each call *throws* CommandError with TokenX's own words when it refuses. */
export interface Registrar {
  readonly issuer: string;
  register(client: ClientToRegister): Promise<void>;
  list(): Promise<readonly KnownClient[]>;
  /** Takes a client out; one that is not known is no trouble. */
  remove(id: string): Promise<void>;
}

const lifetimeSeconds = 120;
const timeoutMs = 15_000;

/**
 * Registers clients with TokenX the way a platform does (RFC 7591): a bearer token of the registrar's, and for each client a
 * signed software statement that says who may call it.
 */
export async function openRegistrar({ issuer, id, key, now }: RegistrarOptions): Promise<Registrar> {
  const signer = await createSigner(key).catch((error: unknown) => {
    throw new CommandError("the registrar's key cannot be used", {
      hints: ["it should be a private JWK with kid"],
      cause: error,
    });
  });
  const endpoint = `${issuer}/registration/client`;
  const times = (): Record<string, unknown> => {
    const iat = Math.floor(now());
    return { iat, nbf: iat, exp: iat + lifetimeSeconds, jti: randomToken() };
  };
  const call = async (method: "GET" | "POST" | "DELETE", path = "", body?: unknown): Promise<unknown> => {
    const bearer = await signer.sign({ iss: id, sub: id, aud: endpoint, ...times() });
    const response = await fetch(`${endpoint}${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CommandError(`TokenX at ${issuer} does not answer`, { cause: error });
    });
    if (response.ok) return response.status === 204 ? undefined : await answerOf(response, issuer);
    throw new CommandError(`TokenX at ${issuer} refused: ${response.status} ${await refusalOf(response)}`, {
      hints:
        response.status === 401
          ? ["is this the registrar that TokenX was set up with (AUTH_CLIENT_ID, AUTH_CLIENT_JWKS)?"]
          : [],
    });
  };
  return {
    issuer,
    register: async (client) => {
      const statement = { iss: id, aud: issuer, ...statementOf(client), ...times() };
      await call("POST", "", {
        client_name: client.application.id,
        jwks: { keys: client.keys },
        software_statement: await signer.sign(statement),
        scopes: [],
        grant_types: [grantTypes.tokenExchange],
      });
    },
    list: async () => {
      const clients = await call("GET");
      if (!Array.isArray(clients)) throw noTokenx(issuer);
      return clients.flatMap(knownClient);
    },
    remove: async (client) => void (await call("DELETE", `/${encodeURIComponent(client)}`)),
  };
}

async function answerOf(response: Response, issuer: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw noTokenx(issuer, error);
  }
}

/** A page for people, an answer that breaks off, a list of something else. */
function noTokenx(issuer: string, cause?: unknown): CommandError {
  return new CommandError(`${issuer} does not answer as a TokenX does`, {
    hints: ["is this TokenX's address, and nothing in front of it that answers in its place?"],
    cause,
  });
}

/** In TokenX's own words, where they are such; a page for people is not repeated. */
async function refusalOf(response: Response): Promise<string> {
  try {
    const { error, error_description: description }: Record<string, unknown> = JSON.parse(
      (await response.text()).slice(0, 10_000),
    );
    const words = [error, description].filter((word) => typeof word === "string");
    if (words.length > 0) return words.join(": ").slice(0, 300);
  } catch {
    // what is no JSON says nothing
  }
  return response.statusText;
}

/** The claims of the software statement that registers an application with TokenX, without the times. */
export function statementOf({
  application,
  subjectClients,
}: Omit<ClientToRegister, "keys">): Record<string, unknown> {
  const ids = (rules: readonly { cluster: string; namespace: string; application: string }[]): string[] =>
    rules.map((rule) => `${rule.cluster}:${rule.namespace}:${rule.application}`);
  return {
    appId: application.id,
    accessPolicyInbound: ids(application.inbound),
    accessPolicyOutbound: ids(application.outbound.rules),
    portvakt_rules: application.inbound,
    // a citizen's token names the client that she signed in to; this says which of the provider's clients that is
    ...(subjectClients === undefined ? {} : { portvakt_subject_clients: subjectClients }),
  };
}

function knownClient(wire: unknown): KnownClient[] {
  if (typeof wire !== "object" || wire === null) return [];
  const { client_id: id, software_statement: raw, jwks } = wire as Record<string, unknown>;
  if (typeof id !== "string" || typeof raw !== "string") return [];
  const { keys = [] } = (jwks ?? {}) as { keys?: unknown };
  const keyIds = (Array.isArray(keys) ? keys : []).flatMap((key: Partial<JWK> | null) => key?.kid ?? []);
  // TokenX verified it when it was registered; here it only says what is there
  const statement = peekJwt(raw)?.claims ?? {};
  const subjectClients = statement["portvakt_subject_clients"] as KnownClient["subjectClients"];
  return [{ id, keyIds, statement, subjectClients }];
}

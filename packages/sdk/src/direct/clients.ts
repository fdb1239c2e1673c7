import { clientSecretPost, createSigner, Fault, privateKeyJwt } from "@portvakt/oauth";
import type { ClientAuth, Clock, JWK, Signer } from "@portvakt/oauth";
import { providerNamed, providerRow } from "../providers.ts";
import type { ProviderName } from "../providers.ts";
import type { Environment } from "../settings.ts";

/** This application as a client of a provider. */
export interface ProviderClient {
  readonly clientId: string;
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly auth: ClientAuth;
  /** Absent where the client has a secret only. */
  readonly signer?: Signer;
}

/** The variables of an application's own credentials, as the platform's operators write them. */
const credentialVariables = {
  entra_id: {
    tokenEndpoint: "AZURE_OPENID_CONFIG_TOKEN_ENDPOINT",
    clientId: "AZURE_APP_CLIENT_ID",
    jwk: "AZURE_APP_JWK",
    secret: "AZURE_APP_CLIENT_SECRET",
  },
  tokenx: {
    tokenEndpoint: "TOKEN_X_TOKEN_ENDPOINT",
    clientId: "TOKEN_X_CLIENT_ID",
    jwk: "TOKEN_X_PRIVATE_JWK",
  },
  maskinporten: {
    tokenEndpoint: "MASKINPORTEN_TOKEN_ENDPOINT",
    clientId: "MASKINPORTEN_CLIENT_ID",
    jwk: "MASKINPORTEN_CLIENT_JWK",
  },
} as const satisfies Partial<Record<ProviderName, Readonly<Record<string, string>>>>;

/** A provider that issues tokens to applications. ID-porten does not: its tokens come from signing in. */
export type IssuingProvider = keyof typeof credentialVariables;

/** The provider that goes by a name, when it issues tokens to applications. */
export function issuingNamed(given: string): IssuingProvider | undefined {
  const name = providerNamed(given);
  return name === undefined || name === "idporten" ? undefined : name;
}

/**
 * Makes the client of a provider from the environment: a key where there is one, otherwise (Entra ID) a secret.
 *
 * *Throws*: `Missing`, which names the variables; Fault `bad_key`, which never holds key material.
 */
export async function clientOf(name: IssuingProvider, env: Environment, now: Clock): Promise<ProviderClient> {
  const variables: { tokenEndpoint: string; clientId: string; jwk: string; secret?: string } =
    credentialVariables[name];
  const issuerVariable = providerRow(name).variables.issuer;
  const [tokenEndpoint, clientId, jwk, issuer] = [
    env[variables.tokenEndpoint],
    env[variables.clientId],
    env[variables.jwk],
    env[issuerVariable],
  ];
  const secret = variables.secret === undefined ? undefined : env[variables.secret];
  if (!tokenEndpoint || !clientId || !issuer || (!jwk && !secret)) {
    const needed = [variables.tokenEndpoint, variables.clientId, issuerVariable].filter((one) => !env[one]);
    throw new Missing(!jwk && !secret ? [...needed, variables.jwk] : needed);
  }
  const about = { clientId, issuer, tokenEndpoint };
  if (!jwk) return { ...about, auth: clientSecretPost({ clientId, secret: secret ?? "" }) };
  const signer = await createSigner(parseJwk(jwk, variables.jwk));
  return { ...about, signer, auth: privateKeyJwt({ clientId, signer, audience: issuer, now }) };
}

/** Variables that are not set. */
export class Missing extends Error {
  constructor(variables: readonly string[]) {
    super(`${variables.join(", ")} ${variables.length === 1 ? "is" : "are"} not set`);
  }
}

function parseJwk(text: string, variable: string): JWK {
  try {
    const jwk: unknown = JSON.parse(text);
    if (typeof jwk === "object" && jwk !== null) return jwk;
  } catch {
    // The parser's message would quote the key.
  }
  throw new Fault("bad_key", `${variable} is not a JWK`);
}

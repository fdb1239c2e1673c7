import { readFile } from "node:fs/promises";
import {
  anyAudience,
  clientAssertion,
  clientSecretPost,
  createSigner,
  privateKeyJwt,
  type Clock,
  type JWK,
} from "@portvakt/oauth";
import { openidProvider, providers, type Provider } from "@portvakt/providers";
import { SettingsError, type Problem, type SettingsOf } from "@portvakt/runtime/config";
import { Secret } from "@portvakt/runtime/observe";
import { createPatience } from "../acquire/acquire.ts";
import { createBreaker } from "../acquire/breaker.ts";
import type { settings as schema } from "../settings.ts";
import type { ConfiguredProvider } from "./configured-providers.ts";
import { createConnection, type Connection, type Identity, type Whereabouts } from "./connection.ts";

type Settings = SettingsOf<typeof schema>;

export interface WireTools {
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly random: () => number;
}

/** What one enabled provider is made of, before its keys are read. */
interface Plan {
  readonly provider: Provider;
  /** What to set, for messages: where the provider is, who this application is there, and how it proves it. */
  readonly variables: {
    readonly found: string;
    readonly audience: string;
    readonly client: string;
    readonly proof: string;
  };
  readonly whereabouts: Whereabouts;
  readonly clientId: string | undefined;
  readonly jwk?: Secret | undefined;
  readonly clientSecret?: Secret | undefined;
  readonly audience: string | typeof anyAudience | undefined;
  /** Whether the provider is of no use without an own identity, and the variables that would give one. */
  readonly needsIdentity: boolean;
}

/**
 * Connects the enabled providers.
 *
 * Checks: that each has what it needs, and that keys can be used. Does not check: that providers can be reached.
 * Throws: SettingsError with every problem at once.
 */
export async function wireConnections(settings: Settings, tools: WireTools): Promise<readonly Connection[]> {
  const problems: Problem[] = [];
  const plans = [...knownPlans(settings), ...(await configuredPlans(settings.providers, problems))];
  const connections: Connection[] = [];
  for (const plan of plans) {
    problems.push(...missingSettings(plan, settings));
    const identity = await identityOf(plan, settings, tools, problems);
    if (problems.length > 0) continue;
    connections.push(
      createConnection({
        ...tools,
        provider: plan.provider,
        whereabouts: plan.whereabouts,
        ...(identity === undefined ? {} : { identity }),
        // A provider without an audience was already reported as a problem; an empty list admits no token.
        audience: plan.audience ?? [],
        breaker: createBreaker(tools),
        patience: createPatience(settings.patienceSeconds, settings.overallSeconds),
      }),
    );
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return connections;
}

function knownPlans(s: Settings): Plan[] {
  const entra: Plan = {
    provider: providers.entra_id,
    variables: {
      found: "AZURE_APP_WELL_KNOWN_URL or AZURE_OPENID_CONFIG_{ISSUER,JWKS_URI,TOKEN_ENDPOINT}",
      audience: "AZURE_APP_CLIENT_ID",
      client: "AZURE_APP_CLIENT_ID",
      proof: "AZURE_APP_JWK or AZURE_APP_CLIENT_SECRET",
    },
    whereabouts: {
      wellKnownUrl: s.azureWellKnownUrl,
      issuer: s.azureIssuer,
      jwksUri: s.azureJwksUri,
      tokenEndpoint: s.azureTokenEndpoint,
    },
    clientId: s.azureClientId,
    jwk: s.azureJwk,
    clientSecret: s.azureClientSecret,
    audience: s.azureClientId,
    needsIdentity: true,
  };
  const maskinporten: Plan = {
    provider: providers.maskinporten,
    variables: {
      found: "MASKINPORTEN_WELL_KNOWN_URL or MASKINPORTEN_{ISSUER,JWKS_URI,TOKEN_ENDPOINT}",
      audience: "MASKINPORTEN_AUDIENCE",
      client: "MASKINPORTEN_CLIENT_ID",
      proof: "MASKINPORTEN_CLIENT_JWK",
    },
    whereabouts: {
      wellKnownUrl: s.maskinportenWellKnownUrl,
      issuer: s.maskinportenIssuer,
      jwksUri: s.maskinportenJwksUri,
      tokenEndpoint: s.maskinportenTokenEndpoint,
    },
    clientId: s.maskinportenClientId,
    jwk: s.maskinportenJwk,
    audience: s.maskinportenAudience ?? anyAudience,
    // An API that only receives Maskinporten's tokens has no client there.
    needsIdentity: false,
  };
  const tokenx: Plan = {
    provider: providers.tokenx,
    variables: {
      found: "TOKEN_X_WELL_KNOWN_URL or TOKEN_X_{ISSUER,JWKS_URI,TOKEN_ENDPOINT}",
      audience: "TOKEN_X_CLIENT_ID",
      client: "TOKEN_X_CLIENT_ID",
      proof: "TOKEN_X_PRIVATE_JWK",
    },
    whereabouts: {
      wellKnownUrl: s.tokenxWellKnownUrl,
      issuer: s.tokenxIssuer,
      jwksUri: s.tokenxJwksUri,
      tokenEndpoint: s.tokenxTokenEndpoint,
    },
    clientId: s.tokenxClientId,
    jwk: s.tokenxJwk,
    audience: s.tokenxClientId,
    needsIdentity: true,
  };
  const idporten: Plan = {
    provider: providers.idporten,
    variables: {
      found: "IDPORTEN_WELL_KNOWN_URL or IDPORTEN_{ISSUER,JWKS_URI}",
      audience: "IDPORTEN_AUDIENCE",
      client: "IDPORTEN_CLIENT_ID",
      proof: "IDPORTEN_CLIENT_JWK",
    },
    whereabouts: {
      wellKnownUrl: s.idportenWellKnownUrl,
      issuer: s.idportenIssuer,
      jwksUri: s.idportenJwksUri,
    },
    clientId: s.idportenClientId,
    jwk: s.idportenJwk,
    audience: s.idportenAudience,
    needsIdentity: false,
  };
  const enabled = [s.azureEnabled, s.maskinportenEnabled, s.tokenxEnabled, s.idportenEnabled];
  return [entra, maskinporten, tokenx, idporten].filter((_, index) => enabled[index]);
}

async function configuredPlans(
  configured: readonly ConfiguredProvider[],
  problems: Problem[],
): Promise<Plan[]> {
  return Promise.all(
    configured.map(async (one) => ({
      provider: openidProvider({ name: one.name, algorithms: one.algorithms, ...grantsOf(one) }),
      variables: {
        found: "well_known_url or issuer and jwks_uri in PORTVAKT_TOKENS_PROVIDERS",
        audience: "audience in PORTVAKT_TOKENS_PROVIDERS",
        client: "client_id in PORTVAKT_TOKENS_PROVIDERS",
        proof: "client_jwk_file or client_secret_file in PORTVAKT_TOKENS_PROVIDERS",
      },
      whereabouts: {
        wellKnownUrl: one.well_known_url,
        issuer: one.issuer,
        jwksUri: one.jwks_uri,
        tokenEndpoint: one.token_endpoint,
        introspectionEndpoint: one.introspection_endpoint,
      },
      clientId: one.client_id,
      jwk: await readSecret(one.client_jwk_file, problems),
      clientSecret: await readSecret(one.client_secret_file, problems),
      audience: one.audience ?? one.client_id,
      needsIdentity: one.token !== undefined || one.exchange !== undefined,
    })),
  );
}

function grantsOf({ token, exchange }: ConfiguredProvider) {
  return { ...(token === undefined ? {} : { token }), ...(exchange === undefined ? {} : { exchange }) };
}

async function readSecret(path: string | undefined, problems: Problem[]): Promise<Secret | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined && text.trim() !== "") return new Secret(text.trim());
  problems.push({
    env: "PORTVAKT_TOKENS_PROVIDERS",
    problem: "names a file that is empty or cannot be read",
  });
  return undefined;
}

function missingSettings(plan: Plan, settings: Settings): Problem[] {
  const { provider, variables, whereabouts: at, audience, clientId, jwk, clientSecret } = plan;
  const found = at.wellKnownUrl !== undefined || (at.issuer !== undefined && at.jwksUri !== undefined);
  const canProve =
    jwk !== undefined || clientSecret !== undefined || settings.workloadTokenPath !== undefined;
  const missing = new Set([
    ...(found ? [] : [variables.found]),
    ...(audience === undefined ? [variables.audience] : []),
    ...(plan.needsIdentity && clientId === undefined ? [variables.client] : []),
    ...(plan.needsIdentity && !canProve ? [variables.proof] : []),
  ]);
  return [...missing].map((what) => ({
    env: what.split(" ", 1)[0] ?? what,
    problem: `is not set: missing configuration for provider '${provider.name}': set ${what}`,
  }));
}

/** The client's own proof: its key, else its secret, else the workload's projected token. */
async function identityOf(
  plan: Plan,
  settings: Settings,
  { now }: WireTools,
  problems: Problem[],
): Promise<Identity | undefined> {
  const { clientId, jwk, clientSecret } = plan;
  if (clientId === undefined) return undefined;
  if (jwk !== undefined) {
    const signer = await createSigner(readJwk(jwk)).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : "the key cannot be used";
      problems.push({
        env: plan.variables.proof.split(" ", 1)[0] ?? "",
        problem: `cannot be used: ${reason}`,
      });
    });
    if (signer === undefined) return undefined;
    return { clientId, signer, auth: (issuer) => privateKeyJwt({ clientId, signer, audience: issuer, now }) };
  }
  if (clientSecret !== undefined) {
    return { clientId, auth: () => clientSecretPost({ clientId, secret: clientSecret.reveal() }) };
  }
  const path = settings.workloadTokenPath;
  if (path === undefined) return undefined;
  const auth = clientAssertion({ clientId, read: async () => (await readFile(path, "utf8")).trim() });
  return { clientId, auth: () => auth };
}

function readJwk(secret: Secret): JWK {
  try {
    const value: unknown = JSON.parse(secret.reveal());
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Falls through: the parser's message would quote the key.
  }
  return {};
}

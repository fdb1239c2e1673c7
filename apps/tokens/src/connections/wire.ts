import {
  clientAssertion,
  clientSecretPost,
  createSigner,
  privateKeyJwt,
  type Clock,
  type JWK,
} from "@portvakt/oauth";
import type { MakeProof } from "@portvakt/providers";
import { SettingsError, type Problem, type SettingsOf } from "@portvakt/runtime/config";
import type { Secret } from "@portvakt/runtime/observe";
import { createBinding, type Binding } from "../dpop/binding.ts";
import { createBreaker } from "../acquire/breaker.ts";
import { createPatience } from "../acquire/patience.ts";
import type { settings as schema } from "../settings.ts";
import { createConnection, type Connection, type Identity } from "./connection.ts";
import { planProviders, type Plan } from "./plans.ts";
import { workloadToken } from "./workload-token.ts";

type Settings = SettingsOf<typeof schema>;

export interface WireTools {
  readonly now: Clock;
  readonly steady: Clock;
  readonly fetch: typeof fetch;
  readonly random: () => number;
  /** Makes proofs with the key of this process; absent when no provider's tokens are bound. */
  readonly makeProof?: MakeProof | undefined;
}

/**
 * Connects the enabled providers.
 *
 * Checks: that each has what it needs, and that keys can be used. Does not check: that providers can be reached.
 * Throws: SettingsError with every problem at once.
 */
export async function wireConnections(settings: Settings, tools: WireTools): Promise<readonly Connection[]> {
  const problems: Problem[] = [];
  const plans = await planProviders(settings, problems);
  problems.push(...unknownBindings(plans, settings));
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
        breaker: createBreaker({ now: tools.steady, random: tools.random }),
        introspectionBreaker: createBreaker({ now: tools.steady, random: tools.random }),
        patience: createPatience(settings.patienceSeconds, settings.overallSeconds),
        binding: bindingFor(plan, settings, tools),
      }),
    );
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return connections;
}

function bindingFor({ provider }: Plan, settings: Settings, { makeProof }: WireTools): Binding | undefined {
  const wanted = settings.dpopProviders.includes(provider.name);
  return wanted && makeProof !== undefined ? createBinding(makeProof) : undefined;
}

/** A provider that is to bind its tokens but is not there is a mistake, and tokens would be less safe than they seem. */
function unknownBindings(plans: readonly Plan[], settings: Settings): Problem[] {
  const names = plans.map(({ provider }) => provider.name);
  const unknown = settings.dpopProviders.filter((name) => !names.includes(name));
  return unknown.length === 0
    ? []
    : [{ env: "PORTVAKT_TOKENS_DPOP_PROVIDERS", problem: "names a provider that is not enabled" }];
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
  const auth = clientAssertion({ clientId, read: workloadToken(path) });
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

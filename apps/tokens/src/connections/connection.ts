import { hash } from "node:crypto";
import {
  anyAudience,
  Fault,
  fetchMetadata,
  remoteKeySet,
  type ClientAuth,
  type Clock,
  type RemoteKeySet,
  type Signer,
  type VerifyRules,
} from "@portvakt/oauth";
import type { Provider, ProviderClient } from "@portvakt/providers";
import { cacheKey } from "../acquire/cache.ts";
import type { Binding } from "../dpop/binding.ts";
import type { Breaker } from "../acquire/breaker.ts";
import type { Patience } from "../acquire/patience.ts";

/** Where a provider is found: given piece by piece, or in its metadata document. */
export interface Whereabouts {
  readonly wellKnownUrl?: string | undefined;
  readonly issuer?: string | undefined;
  readonly jwksUri?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  readonly introspectionEndpoint?: string | undefined;
}

/** This application's own part: its identity at the provider. */
export interface Identity {
  readonly clientId: string;
  readonly auth: (issuer: string) => ClientAuth;
  readonly signer?: Signer;
}

export interface ConnectionOptions {
  readonly provider: Provider;
  readonly whereabouts: Whereabouts;
  readonly identity?: Identity;
  readonly audience: VerifyRules["audience"];
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly breaker: Breaker;
  readonly introspectionBreaker: Breaker;
  readonly patience: Patience;
  readonly binding?: Binding | undefined;
}

/** What is known once the provider has been found. */
export interface Discovered {
  readonly issuer: string;
  readonly keys: RemoteKeySet;
  readonly rules: VerifyRules;
  /** Stands for provider, issuer, audience and algorithms: a short hash of all rules that tokens are judged by. */
  readonly rulesId: string;
  readonly tokenEndpoint: string | undefined;
  readonly introspectionEndpoint: string | undefined;
  readonly auth: ClientAuth | undefined;
}

/** One enabled provider. */
export interface Connection {
  readonly provider: Provider;
  readonly clientId: string | undefined;
  readonly audience: VerifyRules["audience"];
  /** For requests for tokens. */
  readonly breaker: Breaker;
  /** For questions about by-reference tokens. */
  readonly introspectionBreaker: Breaker;
  readonly patience: Patience;
  /** Present when tokens are bound to a key of ours. */
  readonly binding: Binding | undefined;
  /** What has been discovered; undefined before the provider was first reached. */
  readonly known: Discovered | undefined;
  /** Discovers the provider. Throws: Fault; at most one try a second is made, whoever asks. */
  discover(): Promise<Discovered>;
  /** What request builders need. Throws: Fault. */
  client(): Promise<ProviderClient>;
  /** Discovers the provider and fetches its keys. Throws: Fault. */
  load(): Promise<void>;
}

const discoveryPauseSeconds = 1;
const keysMaxAgeSeconds = 3600;

/** Connects to a provider lazily: an outage at start is an outage of this provider alone, and ends when it ends. */
export function createConnection(options: ConnectionOptions): Connection {
  const { provider, identity, now } = options;
  let known: Discovered | undefined;
  let pending: Promise<Discovered> | undefined;
  let failed: { readonly at: number; readonly error: unknown } | undefined;

  const discover = async (): Promise<Discovered> => {
    if (known !== undefined) return known;
    const since = now() - (failed?.at ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back must not stop the trying.
    if (pending === undefined && failed !== undefined && since >= 0 && since < discoveryPauseSeconds)
      throw failed.error;
    pending ??= find(options)
      .then((found) => (known = found))
      .catch((error: unknown) => {
        failed = { at: now(), error };
        throw error;
      })
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };
  return {
    provider,
    clientId: identity?.clientId,
    audience: options.audience,
    breaker: options.breaker,
    introspectionBreaker: options.introspectionBreaker,
    patience: options.patience,
    binding: options.binding,
    get known() {
      return known;
    },
    discover,
    async client() {
      const { issuer, tokenEndpoint, auth } = await discover();
      if (identity === undefined || auth === undefined || tokenEndpoint === undefined) {
        throw new Fault("bad_response", `${provider.title} has no token endpoint for this application`);
      }
      const signer = identity.signer === undefined ? {} : { signer: identity.signer };
      return { clientId: identity.clientId, issuer, tokenEndpoint, auth, now, ...signer };
    },
    async load() {
      await (await discover()).keys.load();
    },
  };
}

async function find(options: ConnectionOptions): Promise<Discovered> {
  const { whereabouts: given, identity, now, fetch } = options;
  const needsToken = identity !== undefined && given.tokenEndpoint === undefined;
  const incomplete = given.issuer === undefined || given.jwksUri === undefined || needsToken;
  const metadata =
    incomplete && given.wellKnownUrl !== undefined
      ? await fetchMetadata({ url: given.wellKnownUrl, expectIssuer: given.issuer, fetch })
      : undefined;
  const issuer = given.issuer ?? metadata?.issuer;
  const jwksUri = given.jwksUri ?? metadata?.jwks_uri;
  if (issuer === undefined || jwksUri === undefined) {
    throw new Fault("bad_response", `the metadata of ${options.provider.title} names no jwks_uri`);
  }
  const keys = remoteKeySet({ uri: jwksUri, now, fetch, maxAgeSeconds: keysMaxAgeSeconds });
  const rules = options.provider.introspection.rules({ issuer, audience: options.audience, keys });
  return {
    issuer,
    keys,
    rules,
    rulesId: rulesId(options.provider.name, issuer, rules),
    tokenEndpoint: given.tokenEndpoint ?? metadata?.token_endpoint,
    introspectionEndpoint: given.introspectionEndpoint ?? metadata?.introspection_endpoint,
    auth: identity?.auth(issuer),
  };
}

function rulesId(name: string, issuer: string, { audience, algorithms }: VerifyRules): string {
  const audiences = audience === anyAudience ? [] : typeof audience === "string" ? [audience] : audience;
  const rule = cacheKey([name, issuer, String(audiences.length), ...audiences, ...algorithms]);
  // Cut short, since it is part of every key: the rules are the settings', and nobody can look for two that come to the same.
  return hash("sha256", rule, "base64url").slice(0, 12);
}

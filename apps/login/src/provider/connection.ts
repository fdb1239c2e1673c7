import {
  fetchMetadata,
  remoteKeySet,
  Fault,
  signatureAlgorithms,
  type ClientAuth,
  type Clock,
  type KeySet,
  type RemoteKeySet,
  type ServerMetadata,
  type SignatureAlgorithm,
  type VerifyRules,
} from "@portvakt/oauth";
import type { LoginHabits } from "@portvakt/providers";

/** What is fixed about one provider that users sign in with. */
export interface ProviderSetup {
  readonly name: string;
  readonly habits: LoginHabits;
  readonly clientId: string;
  readonly wellKnownUrl: string;
  /** Tenants whose users may sign in where the issuer holds `{tenantid}`. */
  readonly tenants: readonly string[];
  readonly trustedAudiences: readonly string[];
  readonly authenticate: (metadata: ServerMetadata) => ClientAuth;
}

/** A provider as it is at the moment: what its metadata says, and its keys. */
export interface Provider {
  readonly setup: ProviderSetup;
  readonly metadata: ServerMetadata;
  readonly keys: KeySet;
  readonly auth: ClientAuth;
  /** Everything about its tokens but their audience. */
  readonly rules: Omit<VerifyRules, "audience" | "required">;
}

/** The line to one provider: metadata that is re-read while we run, and keys that are refetched when an unknown one turns up. */
export interface Connection {
  readonly setup: ProviderSetup;
  /** The provider now, fetching its metadata when there is none yet. Throws: Fault. */
  provider(): Promise<Provider>;
  /** The provider if it was ever reached; never waits. */
  known(): Provider | undefined;
  /** Why the provider is not known, for readiness. */
  trouble(): string | undefined;
  close(): void;
}

export interface ConnectionOptions {
  readonly setup: ProviderSetup;
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly onTrouble: (name: string, cause: unknown) => void;
  /** Age at which metadata is read again, default one hour. */
  readonly rereadSeconds?: number;
}

const retrySeconds = 3;

/** Opens the line. Never throws and never waits: a provider that is down must not keep the process from starting. */
export function connectProvider(options: ConnectionOptions): Connection {
  const { setup, now, rereadSeconds = 3600 } = options;
  let current: Provider | undefined;
  let keys: { uri: string; set: RemoteKeySet } | undefined;
  let pending: Promise<Provider> | undefined;
  let failure: unknown;
  let failedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const read = async (): Promise<Provider> => {
    try {
      const metadata = await fetchMetadata({ url: setup.wellKnownUrl, fetch: options.fetch });
      judgeMetadata(metadata, setup);
      const uri = metadata.jwks_uri ?? "";
      if (keys?.uri !== uri) keys = { uri, set: remoteKeySet({ uri, now, fetch: options.fetch }) };
      if (keys.set.fetchedAt === undefined) await keys.set.load();
      // An issuer that changes while we run would make every session's provider another one: sessions keep the old name and end.
      current = describe(setup, metadata, keys.set);
      failure = undefined;
      return current;
    } catch (cause) {
      failure = cause;
      failedAt = now();
      options.onTrouble(setup.name, cause);
      throw cause;
    } finally {
      pending = undefined;
      schedule();
    }
  };
  const refresh = (): Promise<Provider> => (pending ??= read());
  const schedule = (): void => {
    clearTimeout(timer);
    if (closed) return;
    const seconds = failure === undefined ? rereadSeconds : retrySeconds;
    timer = setTimeout(
      () => void refresh().catch(() => undefined),
      seconds * 1000 * (0.9 + Math.random() * 0.2),
    );
    timer.unref();
  };
  void refresh().catch(() => undefined);
  return {
    setup,
    async provider() {
      if (current !== undefined) return current;
      // While it is down every click would otherwise be a request to it.
      const since = now() - failedAt;
      if (pending === undefined && since >= 0 && since < 1 && failure !== undefined) throw failure;
      return refresh();
    },
    known: () => current,
    trouble: () =>
      current !== undefined ? undefined : failure instanceof Fault ? failure.message : "not reached yet",
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function judgeMetadata(metadata: ServerMetadata, setup: ProviderSetup): void {
  for (const member of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const) {
    if (metadata[member] === undefined)
      throw new Fault("bad_response", `${setup.wellKnownUrl} has no ${member}`);
  }
  if (metadata.issuer.includes("{tenantid}") && !setup.habits.tenants)
    throw new Fault("bad_response", `${setup.wellKnownUrl} has a placeholder in its issuer`);
}

function describe(setup: ProviderSetup, metadata: ServerMetadata, keys: KeySet): Provider {
  return {
    setup,
    metadata,
    keys,
    auth: setup.authenticate(metadata),
    rules: {
      issuer: issuerRule(metadata.issuer, setup.tenants),
      keys,
      algorithms: algorithmsOf(metadata),
      toleranceSeconds: 10,
    },
  };
}

/** An issuer with `{tenantid}` stands for those of the listed tenants, each checked against the token's own `tid`. */
function issuerRule(issuer: string, tenants: readonly string[]): VerifyRules["issuer"] {
  if (!issuer.includes("{tenantid}")) return issuer;
  return (claims) => {
    const { tid } = claims;
    return typeof tid === "string" && tenants.includes(tid) ? issuer.replace("{tenantid}", tid) : undefined;
  };
}

/** What the provider says it signs ID tokens with, as far as we accept it; RS256 where it says nothing. */
function algorithmsOf(metadata: ServerMetadata): readonly SignatureAlgorithm[] {
  const said = metadata.id_token_signing_alg_values_supported ?? ["RS256"];
  const known = (Object.keys(signatureAlgorithms) as SignatureAlgorithm[]).filter((alg) =>
    said.includes(alg),
  );
  return known.length === 0 ? ["RS256"] : known;
}

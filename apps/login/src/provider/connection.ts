import {
  fetchMetadata,
  localKeySet,
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
import { fetchWithAlgorithm, withAlgorithm } from "./key-algorithm.ts";
import type { LastKnown, LastKnownStore } from "./last-known.ts";

/** What is fixed about one provider that users sign in with. */
export interface ProviderSetup {
  readonly name: string;
  readonly habits: LoginHabits;
  readonly clientId: string;
  readonly wellKnownUrl: string;
  /** Tenants whose users may sign in where the issuer holds `{tenantid}`. */
  readonly tenants: readonly string[];
  readonly trustedAudiences: readonly string[];
  /** What keys are for that do not say so themselves; undefined = whatever fits them and the provider lists. */
  readonly keyAlgorithm?: string | undefined;
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
  /** Whether the provider is known only by what it said before this process started. */
  isLastKnown(): boolean;
  close(): void;
}

export interface ConnectionOptions {
  readonly setup: ProviderSetup;
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly onTrouble: (name: string, cause: unknown) => void;
  /** Called with what the provider says of itself, each time it is read. */
  readonly onRead?: (metadata: ServerMetadata) => void;
  /** What the provider said when it was last reached, by whatever process. */
  readonly lastKnown?: LastKnownStore | undefined;
  /** Age at which metadata is read again, default one hour. */
  readonly rereadSeconds?: number;
}

const retrySeconds = 3;

/** Opens the line. Never throws and never waits: a provider that is down must not keep the process from starting. */
export function connectProvider(options: ConnectionOptions): Connection {
  const { setup, now, rereadSeconds = 3600 } = options;
  let current: Provider | undefined;
  /** Set while `current` is what was said before this process started. */
  let recalled: Recalled | undefined;
  const keysOf = keysWhile(options);
  let pending: Promise<Provider> | undefined;
  let failure: unknown;
  let failedAt = Number.NEGATIVE_INFINITY;
  const timer = oneTimer();

  const read = async (): Promise<Provider> => {
    try {
      const metadata = await fetchMetadata({ url: setup.wellKnownUrl, fetch: options.fetch });
      judgeMetadata(metadata, setup);
      options.onRead?.(metadata);
      const keys = await keysOf(metadata);
      // An issuer that changes while we run would make every session's provider another one: sessions keep the old name and end.
      current = describe(setup, metadata, keys);
      recalled = undefined;
      failure = undefined;
      return current;
    } catch (cause) {
      failure = cause;
      failedAt = now();
      options.onTrouble(setup.name, cause);
      if (current !== undefined) throw cause;
      recalled = await recall(options);
      if (recalled === undefined) throw cause;
      return (current = recalled.provider);
    } finally {
      pending = undefined;
      schedule();
    }
  };
  /** The provider, unless all that is known of it has become too old. */
  const usable = (): Provider | undefined => {
    if (recalled?.isFresh() === false) recalled = current = undefined;
    return current;
  };
  const refresh = (): Promise<Provider> => (pending ??= read());
  const schedule = (): void => timer.set(failure === undefined ? rereadSeconds : retrySeconds, refresh);
  void refresh().catch(() => undefined);
  return {
    setup,
    async provider() {
      const known = usable();
      if (known !== undefined) return known;
      // While it is down every click would otherwise be a request to it.
      const since = now() - failedAt;
      if (pending === undefined && since >= 0 && since < 1 && failure !== undefined) throw failure;
      return refresh();
    },
    known: usable,
    isLastKnown: () => usable() !== undefined && recalled !== undefined,
    trouble: () =>
      usable() !== undefined ? undefined : failure instanceof Fault ? failure.message : "not reached yet",
    close() {
      timer.close();
    },
  };
}

/** One thing to be done later, about then (replicas that started together drift apart), and never after the end. */
function oneTimer(): { set(seconds: number, work: () => Promise<unknown>): void; close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  return {
    set(seconds, work) {
      clearTimeout(timer);
      if (closed) return;
      const later = (): void => void work().catch(() => undefined);
      timer = setTimeout(later, seconds * 1000 * (0.9 + Math.random() * 0.2));
      timer.unref();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** The provider's keys, the same set for as long as its metadata names the same address. */
function keysWhile(options: ConnectionOptions): (metadata: ServerMetadata) => Promise<KeySet> {
  let keys: { uri: string; set: RemoteKeySet } | undefined;
  let current: ServerMetadata;
  const fetchAndSave = rememberJwks(options, () => current);
  return async (metadata) => {
    current = metadata;
    const uri = metadata.jwks_uri ?? "";
    const fetch = fetchWithAlgorithm(fetchAndSave, options.setup.keyAlgorithm);
    if (keys?.uri !== uri) keys = { uri, set: remoteKeySet({ uri, now: options.now, fetch }) };
    if (keys.set.fetchedAt === undefined) await keys.set.load();
    return keys.set;
  };
}

interface Recalled {
  readonly provider: Provider;
  readonly isFresh: () => boolean;
}

/** Makes do with what was known before, where there is something. */
async function recall({ lastKnown, setup, now, fetch }: ConnectionOptions): Promise<Recalled | undefined> {
  const known = await lastKnown?.load(setup.wellKnownUrl);
  if (lastKnown === undefined || known === undefined) return undefined;
  try {
    judgeMetadata(known.metadata, setup);
    const { keyAlgorithm } = setup;
    const uri = known.metadata.jwks_uri ?? "";
    const set = remoteKeySet({ uri, now, fetch: fetchWithAlgorithm(fetch, keyAlgorithm) });
    const { keys } = withAlgorithm(known.jwks, keyAlgorithm);
    const provider = describe(setup, known.metadata, inTurn(localKeySet(keys), set));
    return { provider, isFresh: () => lastKnown.isFresh(known) };
  } catch {
    return undefined;
  }
}

/** A `fetch` for keys that has them saved, with what the provider's metadata is by then. */
function rememberJwks(options: ConnectionOptions, metadata: () => ServerMetadata): typeof fetch {
  const { lastKnown, setup } = options;
  if (lastKnown === undefined) return options.fetch;
  const save = async (response: Response): Promise<void> => {
    const jwks = (await response.json()) as LastKnown["jwks"];
    await lastKnown.save(setup.wellKnownUrl, { metadata: metadata(), jwks });
  };
  return async (...request) => {
    const response = await options.fetch(...request);
    // Saving it is nobody's hurry; a folder that cannot be written is told, and changes nothing else.
    if (response.ok) save(response.clone()).catch((error: unknown) => options.onTrouble(setup.name, error));
    return response;
  };
}

/** The keys that were known before, then those that the provider has now. */
function inTurn(before: KeySet, now: KeySet): KeySet {
  return {
    find: async (header) => {
      const known = await before.find(header);
      return known.ok ? known : now.find(header);
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

import { rotatingSigningKeys } from "@portvakt/issuer";
import type { RotatingSigningKeys } from "@portvakt/issuer";
import type { SettingsOf } from "@portvakt/runtime/config";
import type { Readiness, Tools } from "@portvakt/runtime/process";
import type { KeyRing } from "@portvakt/runtime/seal";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { createAudit } from "./audit.ts";
import type { Audit } from "./audit.ts";
import type { RegistrarRules } from "./registration/registrars.ts";
import { decisionStore } from "./registry/decision-store.ts";
import type { DecisionStore } from "./registry/decision-store.ts";
import type { Refresh } from "./registry/one-at-a-time.ts";
import { createRegistry, registryChannel } from "./registry/registry.ts";
import type { Registry } from "./registry/registry.ts";
import { createRevocations, revocationChannel } from "./registry/revocations.ts";
import type { Revocations } from "./registry/revocations.ts";
import type { TokenxTables } from "./registry/schema.ts";
import { keysChannel, signingKeyStore } from "./registry/signing-key-store.ts";
import { usedHere } from "./registry/used-here.ts";
import { usedOnce } from "./registry/used-once.ts";
import type { UsedOnce } from "./registry/used-once.ts";
import { repeatedly } from "./repeatedly.ts";
import type { settings as schema } from "./settings.ts";
import type { IssuerRules } from "./subject/claims.ts";
import { trustedIssuers } from "./trusted-issuers.ts";
import type { TrustedIssuers } from "./trusted-issuers.ts";
import type { ClusterRules } from "./workload-tokens.ts";

export type Settings = SettingsOf<typeof schema>;

/** Everything that lives as long as the process. */
export interface State {
  readonly settings: Settings;
  readonly tools: Tools;
  readonly db: SqlDatabase<TokenxTables>;
  readonly registry: Registry;
  readonly keys: RotatingSigningKeys;
  readonly used: UsedOnce;
  readonly revocations: Revocations;
  readonly subjects: TrustedIssuers<IssuerRules>;
  readonly registrars: TrustedIssuers<RegistrarRules>;
  readonly clusters: TrustedIssuers<ClusterRules>;
  readonly decisions: DecisionStore;
  readonly audit: Audit;
}

/** Verifiers are told that they may cache the key set this long; superseded keys stay that much longer. */
const keySetCacheSeconds = 3_600;

/** Makes the state of a process; nothing is read before `readAll`. */
export function createState(
  settings: Settings,
  tools: Tools,
  db: SqlDatabase<TokenxTables>,
  ring: KeyRing,
): State {
  const { now, log } = tools;
  const { signingAlgorithms } = settings;
  const decisions = decisionStore({ db, now, log, retentionSeconds: settings.decisionRetentionSeconds });
  return {
    settings,
    tools,
    db,
    keys: rotatingSigningKeys({
      store: signingKeyStore(db, ring),
      now,
      algorithms: [signingAlgorithms[0] ?? "RS256", ...signingAlgorithms.slice(1)],
      periodSeconds: settings.keyPeriodSeconds,
      aheadSeconds: settings.keyAheadSeconds,
      keepSeconds: settings.tokenLifetimeSeconds + keySetCacheSeconds,
    }),
    registry: createRegistry({ db, now, log }),
    revocations: createRevocations({ db, now }),
    used: usedMemory(settings, tools, db),
    subjects: trustedIssuers({ issuers: subjectIssuersOf(settings), now, log }),
    registrars: trustedIssuers({ issuers: registrarsOf(settings), now, log }),
    clusters: trustedIssuers({
      issuers: settings.workloadIssuers.map(({ wellKnownUrl: url, cluster }) => ({
        url,
        rules: { cluster },
      })),
      now,
      log,
    }),
    decisions,
    audit: createAudit({ log, metrics: tools.metrics, store: decisions }),
  };
}

/** Where there are other replicas, or may be, used assertions are shared with them; otherwise they are kept beside the database. */
function usedMemory(
  { dataDirectory, outageGraceSeconds: graceSeconds }: Settings,
  { now, log }: Tools,
  db: SqlDatabase<TokenxTables>,
): UsedOnce {
  if (db.kind !== "pglite") return usedOnce({ db, now, log, graceSeconds });
  return usedHere({ now, file: dataDirectory === "memory" ? undefined : `${dataDirectory}.used` });
}

/** Reads everything into memory once. Only an issuer may be away. */
export async function readAll({
  keys,
  registry,
  used,
  revocations,
  subjects,
  registrars,
  clusters,
}: State): Promise<void> {
  await Promise.all([
    keys.refresh(),
    registry.refresh(),
    used.load(),
    revocations.refresh(),
    subjects.refresh(),
    registrars.refresh(),
    clusters.refresh(),
  ]);
}

/** Keeps memory in step with the database: by notices, and by asking now and then. */
export async function keepFresh({
  settings,
  tools,
  db,
  registry,
  keys,
  used,
  revocations,
  decisions,
  subjects,
  registrars,
  clusters,
}: State): Promise<() => Promise<void>> {
  const { log } = tools;
  const quietly =
    (what: string, work: Refresh): Refresh =>
    (how) =>
      work(how).catch((err: unknown) => log.warn({ err }, `${what} could not be brought up to date`));
  const refreshRegistry = quietly("the registry", registry.refresh);
  const refreshKeys = quietly("the signing keys", () => keys.refresh());
  const refreshRevocations = quietly("the revocations", revocations.refresh);
  const noticed = [
    [registryChannel, refreshRegistry],
    [keysChannel, refreshKeys],
    [revocationChannel, refreshRevocations],
  ] as const;
  const stops: (() => Promise<void>)[] = [];
  for (const [channel, refresh] of noticed) {
    // Without a text: the connection was lost, and the database behind the next one may be another, that lacks the latest revisions.
    stops.push(await db.listen(channel, (text) => void refresh({ anew: text === undefined })));
    stops.push(repeatedly(settings.pollSeconds, () => refresh()));
  }
  const sweeps = [
    ["the replay memory", 60, () => used.sweep()],
    ["the revocations", 600, () => revocations.sweep()],
    ["the decisions", 600, () => decisions.sweep()],
  ] as const;
  for (const [what, seconds, sweep] of sweeps) stops.push(repeatedly(seconds, quietly(what, sweep)));
  for (const issuers of [subjects, registrars, clusters]) stops.push(repeatedly(5, () => issuers.refresh()));
  stops.push(
    repeatedly(1, () => decisions.flush()),
    () => decisions.flush(),
    () => used.close(),
  );
  return async () => {
    for (const stop of stops) await stop();
  };
}

/** What readiness depends on: the database and a signing key; trusted issuers are shown, and may be away. */
export async function readinessOf({ db, keys, subjects }: State): Promise<Readiness> {
  const database = await db.ping().then(
    () => ({ ok: true }),
    () => ({ ok: false, detail: "the database does not answer" }),
  );
  const signing = keys.ready ? { ok: true } : { ok: false, detail: "there is no signing key" };
  const issuers = Object.entries(subjects.state()).map(([url, ok]) => [url, { ok }] as const);
  return {
    ready: database.ok && signing.ok,
    checks: { database, signing_keys: signing, ...Object.fromEntries(issuers) },
  };
}

function subjectIssuersOf(settings: Settings): { url: string; rules: IssuerRules }[] {
  return settings.subjectIssuers.map((url) => {
    const rules = settings.subjectRules[url] ?? { audiences: [] };
    return { url, rules: { ...rules, mappings: settings.subjectMappings[url] ?? {} } };
  });
}

/** Providers of registrars' tokens, by either of their settings. */
export function registrarsOf(settings: Settings): { url: string; rules: RegistrarRules }[] {
  const { registrarProviders = [], registrarWellKnownUrl } = settings;
  if (registrarProviders.length > 0)
    return registrarProviders.map(({ wellKnownUrl, ...rules }) => ({ url: wellKnownUrl, rules }));
  return registrarWellKnownUrl === undefined ? [] : [{ url: registrarWellKnownUrl, rules: {} }];
}

import {
  authorizationServerMetadataUrl,
  fetchMetadata,
  openidConfigurationUrl,
  remoteKeySet,
} from "@portvakt/oauth";
import type { Clock, KeySet } from "@portvakt/oauth";
import { tracedFetch } from "@portvakt/runtime/observe";
import type { Logger } from "@portvakt/runtime/observe";
import { rememberSignatures } from "./subject/known-signatures.ts";

/** An issuer whose metadata is known, with what is particular to it. */
export interface TrustedIssuer<R> {
  readonly issuer: string;
  readonly keys: KeySet;
  readonly rules: R;
}

export interface TrustedIssuers<R> {
  /** The issuer, when it is one of the trusted. While some are not known yet, they are asked for once more, at most every 2 s. */
  find(issuer: string | undefined): TrustedIssuer<R> | undefined | Promise<TrustedIssuer<R> | undefined>;
  /** Fetches what is missing or old; never fails. Called at start and now and then: an issuer that is down stops nothing. */
  refresh(): Promise<void>;
  /** By well-known URL: whether its metadata was ever fetched. */
  state(): Readonly<Record<string, boolean>>;
}

interface Slot<R> {
  readonly url: string;
  readonly rules: R;
  known?: TrustedIssuer<R>;
  fetchedAt?: number;
  failing?: boolean;
}

const metadataMaxAgeSeconds = 86_400;
const retrySeconds = 2;

/**
 * Issuers by their well-known URLs (OpenID Connect Discovery, RFC 8414). No trusted issuer can stand in for another (RFC 8414 section
 * 3.3): where an issuer's own URL is trusted, no URL elsewhere speaks for it, not even while that one is down. Of two others
 * that name one issuer the first counts.
 */
export function trustedIssuers<R>(options: {
  readonly issuers: readonly { readonly url: string; readonly rules: R }[];
  readonly now: Clock;
  readonly log: Logger;
  readonly fetch?: typeof fetch;
}): TrustedIssuers<R> {
  const { now, log } = options;
  const fetch = tracedFetch(options.fetch ?? globalThis.fetch);
  const slots: Slot<R>[] = options.issuers.map(({ url, rules }) => ({ url, rules }));
  const byIssuer = new Map<string, TrustedIssuer<R>>();
  let triedAt = Number.NEGATIVE_INFINITY;

  async function refreshSlot(slot: Slot<R>): Promise<void> {
    if (slot.known !== undefined && now() - (slot.fetchedAt ?? 0) < metadataMaxAgeSeconds) return;
    try {
      const metadata = await fetchMetadata({ url: slot.url, fetch });
      if (metadata.jwks_uri === undefined) throw new Error("the metadata has no jwks_uri");
      const { issuer, jwks_uri: uri } = metadata;
      const keys = remoteKeySet({ uri, now, fetch });
      await keys.load();
      slot.known = { issuer, keys: rememberSignatures(keys), rules: slot.rules };
      slot.fetchedAt = now();
      slot.failing = false;
      index();
    } catch (err) {
      const what = "trusted issuer is not available; what was known of it stays in use";
      log[slot.failing === true ? "debug" : "warn"]({ err, issuer_url: slot.url }, what);
      slot.failing = true;
    }
  }

  function index(): void {
    byIssuer.clear();
    for (const { known, url } of slots) {
      if (known === undefined) continue;
      const { issuer } = known;
      const isHeldElsewhere = !isAt(url, issuer) && slots.some((other) => isAt(other.url, issuer));
      if (!byIssuer.has(issuer) && !isHeldElsewhere) byIssuer.set(issuer, known);
      else
        log.error(
          { issuer_url: url, issuer },
          "two well-known URLs name one issuer; this one does not count",
        );
    }
  }

  async function refresh(): Promise<void> {
    triedAt = now();
    await Promise.all(slots.map(refreshSlot));
  }

  return {
    find: (issuer) => {
      if (issuer === undefined) return undefined;
      const isDue = Math.abs(now() - triedAt) >= retrySeconds;
      // One that came up a moment ago is not kept waiting for the next round.
      if (!byIssuer.has(issuer) && isDue && slots.some(({ known }) => known === undefined))
        return refresh().then(() => byIssuer.get(issuer));
      return byIssuer.get(issuer);
    },
    refresh,
    state: () => Object.fromEntries(slots.map(({ url, known }) => [url, known !== undefined])),
  };
}

/** Whether a well-known URL is the issuer's own. */
function isAt(url: string, issuer: string): boolean {
  return (
    URL.canParse(issuer) &&
    [openidConfigurationUrl(issuer), authorizationServerMetadataUrl(issuer)].includes(url)
  );
}

import { issuerOf, type KnownIssuer } from "@portvakt/explain";
import { fetchMetadata, remoteKeySet, type Clock, type JwtClaims } from "@portvakt/oauth";
import { providers, type ProviderName } from "@portvakt/providers";
import type { Logger } from "@portvakt/runtime/observe";

/** An issuer by the address of its metadata. */
export interface IssuerPlace {
  readonly provider?: ProviderName | undefined;
  readonly wellKnownUrl: string;
}

/** The issuer there, with its keys, once its metadata could be read. */
export function lazyIssuer(
  { provider, wellKnownUrl: url }: IssuerPlace,
  { now, log }: { readonly now: Clock; readonly log: Logger },
): () => Promise<KnownIssuer | undefined> {
  let known: KnownIssuer | undefined;
  let pending: Promise<KnownIssuer | undefined> | undefined;
  const read = async (): Promise<KnownIssuer | undefined> => {
    try {
      const { issuer, jwks_uri: uri } = await fetchMetadata({ url, timeoutSeconds: 3 });
      if (uri === undefined) return undefined;
      const row = provider === undefined ? undefined : providers[provider];
      known = { provider: row, issuer, jwksUri: uri, keys: remoteKeySet({ uri, now }) };
    } catch (err) {
      log.warn({ err, url }, "the metadata of an issuer could not be read");
    } finally {
      pending = undefined;
    }
    return known;
  };
  return () => (known === undefined ? (pending ??= read()) : Promise.resolve(known));
}

/** Finds the issuer that a token names, among those that are known. */
export type FindIssuer = (claims: JwtClaims) => Promise<KnownIssuer | undefined>;

/** Makes the finder of the issuers at these places. */
export function knownIssuers(
  places: readonly IssuerPlace[],
  tools: { readonly now: Clock; readonly log: Logger },
): FindIssuer {
  const all = places.map((place) => lazyIssuer(place, tools));
  return async (claims) => {
    const known = (await Promise.all(all.map((one) => one()))).filter((one) => one !== undefined);
    return issuerOf(claims, known);
  };
}

import type { ServerMetadata } from "@portvakt/oauth";

/** What our settings want of a provider. */
export interface Wanted {
  readonly level: string | undefined;
  readonly locale: string | undefined;
  readonly keyAlgorithm: string | undefined;
  /** What our own key signs assertions with. */
  readonly clientAlgorithm: string | undefined;
}

const listedAs = {
  level: ["ACR_VALUES", "acr_values_supported"],
  locale: ["UI_LOCALES", "ui_locales_supported"],
  keyAlgorithm: ["JWKS_FALLBACK_ALG", "id_token_signing_alg_values_supported"],
  clientAlgorithm: ["CLIENT_JWK", "token_endpoint_auth_signing_alg_values_supported"],
} as const;

/** A sentence for each wish that the provider lists others for, but not this. A provider without the list may know it all the same. */
export function unlisted(metadata: ServerMetadata, wanted: Wanted): string[] {
  return (Object.keys(listedAs) as (keyof Wanted)[]).flatMap((what) => {
    const [setting, member] = listedAs[what];
    const value = wanted[what];
    const list = metadata[member];
    // Locales may be several, in order of preference.
    const known =
      value === undefined || list === undefined || value.split(" ").some((one) => list.includes(one));
    return known
      ? []
      : [`PORTVAKT_LOGIN_${setting} asks for ${value}, which is not in the provider's ${member}`];
  });
}

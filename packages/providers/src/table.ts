import { entra } from "./entra.ts";
import { idporten } from "./idporten.ts";
import { maskinporten } from "./maskinporten.ts";
import type { Provider } from "./provider.ts";
import { tokenx } from "./tokenx.ts";

/** The providers that Portvakt knows by name. Adding one = one row and one file. */
export const providers = {
  entra_id: entra,
  maskinporten,
  tokenx,
  idporten,
} as const satisfies Record<string, Provider>;

export type ProviderName = keyof typeof providers;

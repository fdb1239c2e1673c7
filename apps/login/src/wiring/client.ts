import { createSigner, type Signer } from "@portvakt/oauth";
import { findLoginHabits, loginHabits, type LoginHabits } from "@portvakt/providers";
import type { Problem } from "@portvakt/runtime/config";
import type { Secret } from "@portvakt/runtime/observe";
import type { LoginSettings } from "../settings/settings.ts";

/** A provider that the settings name, and whether the general settings are its own. */
export interface ConfiguredProvider {
  readonly habits: LoginHabits;
  readonly general: boolean;
}

type Choice = Pick<LoginSettings, "providers" | "provider" | "ssoEnabled" | "ssoMode">;

/** Whether another process signs in for this one. */
export function isGuest(settings: Pick<LoginSettings, "ssoEnabled" | "ssoMode">): boolean {
  return settings.ssoEnabled && settings.ssoMode === "proxy";
}

/** The names of providers whose users may come: those that the settings name; any, where another process signs in. */
export function providerNames(settings: Choice): string[] {
  if (isGuest(settings)) return Object.keys(loginHabits);
  return configuredProviders(settings).map(({ habits }) => habits.name);
}

/** The providers that users sign in with here, in order, each once. */
export function configuredProviders(settings: Choice): ConfiguredProvider[] {
  if (isGuest(settings)) return [];
  const names = settings.providers.length > 0 ? [...new Set(settings.providers)] : [settings.provider];
  return names.flatMap((name) => {
    const habits = findLoginHabits(name);
    return habits === undefined ? [] : [{ habits, general: names.length === 1 || habits.name === "openid" }];
  });
}

/** Who we are at one provider. */
export interface Client {
  readonly clientId: string;
  readonly wellKnownUrl: string;
  readonly jwk: Secret | undefined;
  readonly secret: Secret | undefined;
}

/** Our own names first, then what the platform injects for the provider; or everything that is missing. */
export function clientOf(settings: LoginSettings, habits: LoginHabits, general: boolean): Client | Problem[] {
  const preset = presetOf(settings, habits.name);
  const own = general ? settings : undefined;
  const clientId = own?.clientId ?? preset.clientId;
  const wellKnownUrl = own?.wellKnownUrl ?? preset.wellKnownUrl;
  const jwk = own?.clientJwk ?? preset.jwk;
  const secret = own?.clientSecret ?? preset.secret;
  const missing = (
    what: "CLIENT_ID" | "WELL_KNOWN_URL" | "CLIENT_JWK",
    theirs: string | undefined,
  ): Problem => {
    const ours = `PORTVAKT_LOGIN_${what}`;
    if (!general) return { env: theirs ?? ours, problem: "is not set" };
    return {
      env: ours,
      problem: "is not set",
      ...(theirs === undefined ? {} : { hint: `nor is ${theirs}` }),
    };
  };
  const problems: Problem[] = [];
  if (clientId === undefined) problems.push(missing("CLIENT_ID", habits.variables?.clientId));
  if (wellKnownUrl === undefined) problems.push(missing("WELL_KNOWN_URL", habits.variables?.wellKnownUrl));
  if (jwk === undefined && secret === undefined)
    problems.push(missing("CLIENT_JWK", habits.variables?.clientJwk));
  if (clientId === undefined || wellKnownUrl === undefined || problems.length > 0) return problems;
  return { clientId, wellKnownUrl, jwk, secret };
}

interface Preset {
  readonly clientId?: string | undefined;
  readonly wellKnownUrl?: string | undefined;
  readonly jwk?: Secret | undefined;
  readonly secret?: Secret | undefined;
}

function presetOf(settings: LoginSettings, provider: string): Preset {
  if (provider === "idporten")
    return {
      clientId: settings.idportenClientId,
      wellKnownUrl: settings.idportenWellKnownUrl,
      jwk: settings.idportenClientJwk,
    };
  if (provider === "entra")
    return {
      clientId: settings.azureClientId,
      wellKnownUrl: settings.azureWellKnownUrl,
      jwk: settings.azureClientJwk,
      secret: settings.azureClientSecret,
    };
  return {};
}

/** Reads a private JWK. Throws: Error that holds nothing of it. */
export async function readSigner(jwk: Secret): Promise<Signer> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(jwk.reveal());
  } catch {
    // The parser's own message quotes the text.
    throw new Error("the client's JWK is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null) throw new Error("the client's JWK is not a JSON object");
  return createSigner(parsed);
}

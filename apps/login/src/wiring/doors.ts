import {
  clientSecretBasic,
  clientSecretPost,
  privateKeyJwt,
  type ClientAuth,
  type Clock,
  type ServerMetadata,
} from "@portvakt/oauth";
import { levelOf, type LoginHabits } from "@portvakt/providers";
import { SettingsError } from "@portvakt/runtime/config";
import type { Logger } from "@portvakt/runtime/observe";
import type { Door } from "../endpoints/login.ts";
import { connectProvider } from "../provider/connection.ts";
import { lastKnownIn } from "../provider/last-known.ts";
import { unlisted } from "../provider/unlisted.ts";
import { clientOf, configuredProviders, readSigner, type Client } from "./client.ts";
import type { LoginSettings } from "../settings/settings.ts";

/** The providers that users can sign in with here. */
export interface Doors {
  readonly byName: ReadonlyMap<string, Door>;
  close(): void;
}

interface DoorTools {
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly log: Logger;
}

/**
 * Opens the lines to the providers that the settings name. With one provider, the general settings are its own; with several, they
 * are those of `openid`, and the others have the platform's variables and their habits.
 * Throws: SettingsError for settings that cannot work.
 */
export async function openDoors(settings: LoginSettings, tools: DoorTools): Promise<Doors> {
  const doors = new Map<string, Door>();
  for (const { habits, general } of configuredProviders(settings)) {
    // The first keeps the callback that is registered already; each of the others has its own, so that a mix-up fails.
    const callbackPath = doors.size === 0 ? "/callback" : `/callback/${habits.name}`;
    doors.set(habits.name, await openDoor(settings, tools, { habits, general, callbackPath }));
  }
  return {
    byName: doors,
    close: () => {
      for (const { connection } of doors.values()) connection.close();
    },
  };
}

async function openDoor(
  settings: LoginSettings,
  tools: DoorTools,
  door: { habits: LoginHabits; general: boolean; callbackPath: string },
): Promise<Door> {
  const { habits, general } = door;
  const client = clientOf(settings, habits, general);
  if (Array.isArray(client)) throw new SettingsError(client);
  const defaults = defaultsOf(settings, habits, general);
  const keyAlgorithm = general ? settings.jwksFallbackAlg : undefined;
  const clientAlgorithm = client.jwk === undefined ? undefined : (await readSigner(client.jwk)).alg;
  const connection = connectProvider({
    setup: {
      name: habits.name,
      habits,
      clientId: client.clientId,
      wellKnownUrl: client.wellKnownUrl,
      tenants: settings.tenants,
      trustedAudiences: general ? settings.audiences : [],
      keyAlgorithm,
      authenticate: await authentication(client, settings.clientAuthJwtType, tools.now),
    },
    now: tools.now,
    fetch: tools.fetch,
    lastKnown:
      settings.lastKnownDirectory === undefined
        ? undefined
        : lastKnownIn(settings.lastKnownDirectory, {
            now: tools.now,
            maxAgeSeconds: settings.lastKnownMaxAge,
          }),
    onRead: (metadata) => {
      for (const sentence of unlisted(metadata, { ...defaults, keyAlgorithm, clientAlgorithm }))
        tools.log.error({ provider: habits.name }, sentence);
    },
    onTrouble: (provider, err) =>
      tools.log.warn({ err, provider }, "the provider's metadata or keys could not be read"),
  });
  return { connection, callbackPath: door.callbackPath, defaults };
}

/** A level, a locale or a resource means something to one provider only. */
function defaultsOf(settings: LoginSettings, habits: LoginHabits, general: boolean): Door["defaults"] {
  const { acrValues, uiLocales, scopes, resource, domainHint } = settings;
  const ofThisScale = acrValues !== undefined && habits.levels.includes(levelOf(habits, acrValues));
  const level = general || ofThisScale ? (acrValues ?? habits.defaultLevel) : habits.defaultLevel;
  return {
    scopes: general ? scopes : [],
    resource: general || habits.name === "idporten" ? resource : undefined,
    level: level === undefined ? undefined : levelOf(habits, level),
    locale: (general || habits.defaultLocale !== undefined ? uiLocales : undefined) ?? habits.defaultLocale,
    domainHint: general || habits.name === "entra" ? domainHint : undefined,
  };
}

/** A key wins over a secret. The assertion's one audience is the issuer, which only the metadata tells. */
async function authentication(
  client: Client,
  typed: boolean,
  now: Clock,
): Promise<(metadata: ServerMetadata) => ClientAuth> {
  const { clientId, jwk, secret } = client;
  if (jwk !== undefined) {
    const signer = await readSigner(jwk);
    const typ = typed ? "client-authentication+jwt" : "JWT";
    return ({ issuer }) => privateKeyJwt({ clientId, signer, audience: issuer, now, typ });
  }
  const text = secret?.reveal() ?? "";
  // RFC 8414 section 2: where nothing is said, the server takes client_secret_basic.
  return (metadata) => {
    const methods = metadata.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    return methods.includes("client_secret_basic")
      ? clientSecretBasic({ clientId, secret: text })
      : clientSecretPost({ clientId, secret: text });
  };
}

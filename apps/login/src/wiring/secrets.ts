import { randomBytes } from "node:crypto";
import { createKeyRing, type KeyRing } from "@portvakt/runtime/seal";
import { Secret, type Logger } from "@portvakt/runtime/observe";
import type { LoginSettings } from "../settings/settings.ts";

/** The ring for cookies. Without keys, one of this process's own: fit for one replica, and said loudly. */
export function readKeys(keys: readonly Secret[], log: Logger): KeyRing {
  if (keys.length > 0) return createKeyRing(keys);
  log.warn(
    "PORTVAKT_LOGIN_ENCRYPTION_KEYS is not set: sessions end with this process and no other replica can read them",
  );
  return createKeyRing([new Secret(randomBytes(32).toString("base64"))]);
}

/** Where the store is, by URI or, as the baseline once had it, by its parts. */
export function redisUrl(
  settings: Pick<
    LoginSettings,
    | "redisUri"
    | "redisAddress"
    | "redisUsername"
    | "redisPassword"
    | "redisTls"
    | "redisConnectionIdleTimeout"
  >,
): { url?: Secret; username?: string; password?: Secret; idleSeconds?: number } {
  const url =
    settings.redisUri ??
    (settings.redisAddress === undefined
      ? undefined
      : new Secret(`${settings.redisTls ? "rediss" : "redis"}://${settings.redisAddress}`));
  return {
    ...(url === undefined ? {} : { url }),
    ...(settings.redisConnectionIdleTimeout > 0 ? { idleSeconds: settings.redisConnectionIdleTimeout } : {}),
    ...(settings.redisUsername === undefined ? {} : { username: settings.redisUsername }),
    ...(settings.redisPassword === undefined ? {} : { password: settings.redisPassword }),
  };
}

import { equalConstantTime, localKeySet, type Clock, type KeySet } from "@portvakt/oauth";
import type { ClientAuthMethod } from "@portvakt/issuer";
import { registrationsSchema, type Registrations, type RegistrationsInput } from "./registrations.ts";

/** The registrations in force, and what is derived from them. */
export interface Registry {
  current(): Registrations;
  /** Puts other registrations in force at once. Throws: ZodError, and then nothing changes. */
  replace(registrations: RegistrationsInput): Registrations;
  /** The registrations as they were at a time (seconds since the epoch); the oldest remembered for any earlier. */
  asOf(time: number): Registrations;
  /** A view that is made anew when the registrations change, and only then. */
  derived<T>(make: (registrations: Registrations) => T): () => T;
}

const maxPast = 50;

/** Makes a registry with the given registrations. */
export function createRegistry(initial: RegistrationsInput, now: Clock): Registry {
  let current = registrationsSchema.parse(initial);
  const past = [{ at: Number.NEGATIVE_INFINITY, registrations: current }];
  return {
    current: () => current,
    replace(input) {
      current = registrationsSchema.parse(input);
      past.push({ at: now(), registrations: current });
      if (past.length > maxPast) past.shift();
      return current;
    },
    asOf: (time) => (past.findLast(({ at }) => at <= time) ?? past[0])?.registrations ?? current,
    derived(make) {
      let seen: Registrations | undefined;
      let value: ReturnType<typeof make> | undefined;
      return () => {
        if (seen !== current || value === undefined) {
          value = make(current);
          seen = current;
        }
        return value;
      };
    },
  };
}

/** How a client proves itself, from what it registered. */
export interface Credentials {
  readonly authMethods: readonly ClientAuthMethod[];
  readonly keys?: KeySet;
  readonly secretMatches?: (secret: string) => boolean;
}

/** Reads keys and secret of a registration; a method that was named is the only one. */
export function credentialsOf(client: {
  readonly jwks?: { readonly keys: readonly { readonly kty: string }[] } | undefined;
  readonly client_secret?: string | undefined;
  readonly token_endpoint_auth_method?: ClientAuthMethod | undefined;
}): Credentials {
  const { jwks, client_secret: secret, token_endpoint_auth_method: named } = client;
  const possible: ClientAuthMethod[] = [
    ...(jwks === undefined ? [] : ["private_key_jwt" as const]),
    ...(secret === undefined ? [] : ["client_secret_basic" as const, "client_secret_post" as const]),
  ];
  return {
    authMethods: named === undefined ? possible : [named],
    ...(jwks === undefined ? {} : { keys: localKeySet(jwks.keys) }),
    ...(secret === undefined ? {} : { secretMatches: (given) => equalConstantTime(given, secret) }),
  };
}

import { createHash } from "node:crypto";
import { createKeyRing, open, seal, type KeyRing } from "@portvakt/runtime/seal";
import { Secret } from "@portvakt/runtime/observe";
import type { KeyValueStore } from "@portvakt/runtime/store";
import type { Clock } from "@portvakt/oauth";
import { nameOf, providerUsersOf, type ProviderUser, type Session, type Tokens } from "./model.ts";

/** What there is to revoke of a session that has ended. */
export interface Revocable {
  readonly provider: string;
  readonly tokens: Partial<Pick<Tokens, "refreshToken" | "accessToken">>;
}

/** What revokes a session's tokens when its provider ends it, and no browser is there whose cookie opens it. */
export interface Revocations {
  /** Writes it down for a new session, or (`again`) anew for one whose tokens changed. */
  keep(session: Session, again?: "again"): Promise<void>;
  find(id: string, of: ProviderUser): Promise<Revocable | undefined>;
}

/** Where it lies in the store. */
export const revocationKey = (id: string): string => `login:revocation:${id}`;

/**
 * Beside a session lies its refresh token (without one, its access token), sealed by our keys and, inside that, by what the provider
 * calls the session and the user. A logout token says those; the store holds only their hashes. So neither the store alone opens
 * it, nor the store with our keys, nor the store with the provider's names.
 */
export function revocationsIn(
  store: KeyValueStore,
  options: {
    readonly ring: KeyRing;
    readonly now: Clock;
    /** Whether the session's provider has an endpoint for it. */
    readonly wanted: (session: Session) => boolean;
  },
): Revocations {
  const { ring, now } = options;
  return {
    async keep(session, again) {
      const ttlSeconds = session.endsAt - now();
      if (!options.wanted(session) || ttlSeconds <= 0) return;
      const { provider, id, tokens } = session;
      const { refreshToken, accessToken } = tokens;
      const what: Revocable = {
        provider,
        tokens: refreshToken === undefined ? { accessToken } : { refreshToken },
      };
      const copies = providerUsersOf(session).map((of) =>
        seal(
          ring,
          purposeOf(id),
          utf8.encode(seal(ringOf(of), purposeOf(id), utf8.encode(JSON.stringify(what)))),
        ),
      );
      const rules = again === undefined ? { ttlSeconds } : { ttlSeconds, only: "present" as const };
      await store.set(revocationKey(id), utf8.encode(copies.join(" ")), rules);
    },
    async find(id, of) {
      const bytes = await store.get(revocationKey(id));
      if (bytes === undefined) return undefined;
      for (const copy of new TextDecoder().decode(bytes).split(" ")) {
        const inner = open(ring, purposeOf(id), copy);
        const plain = inner && open(ringOf(of), purposeOf(id), new TextDecoder().decode(inner));
        if (plain !== undefined) return JSON.parse(new TextDecoder().decode(plain)) as Revocable;
      }
      return undefined;
    },
  };
}

const utf8 = new TextEncoder();
const purposeOf = (id: string): string => `revocation:${id}`;

function ringOf(of: ProviderUser): KeyRing {
  const key = createHash("sha256")
    .update(`portvakt revocation\0${nameOf(of)}`)
    .digest("base64");
  return createKeyRing([new Secret(key)]);
}

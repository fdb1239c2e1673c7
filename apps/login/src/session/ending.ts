import { createHash } from "node:crypto";
import type { KeyValueStore } from "@portvakt/runtime/store";
import { nameOf, type ProviderUser } from "./model.ts";
import { revocationKey, type Revocable, type Revocations } from "./revocation.ts";

/** The channel on which ended sessions are told to every replica, by their id. */
export const endedChannel = "login:ended";

/** Where a session lies in the store. */
export const sessionKey = (id: string): string => `login:session:${id}`;

/** Where the ids of somebody's sessions lie. Names of people's accounts never stand in the store: the index holds their hashes. */
export function indexKeyOf(of: ProviderUser): string {
  return `login:index:${createHash("sha256").update(nameOf(of)).digest("base64url")}`;
}

/** How sessions end before their time. */
export interface Endings {
  /** Ends one session everywhere; fine when it is gone already. */
  end(id: string): Promise<void>;
  /** Ends a session that the store still holds as these bytes; gives whether it did. */
  endIf(id: string, bytes: Uint8Array): Promise<boolean>;
  /** Ends all sessions that go by one of these names. Gives how many, and what of them can be revoked. */
  endAll(
    names: readonly ProviderUser[],
  ): Promise<{ readonly ended: number; readonly revocable: readonly Revocable[] }>;
}

/** Ends sessions in the store. `activityKey` names what lies beside one and goes with it. */
export function endingsIn(
  store: KeyValueStore,
  options: { readonly activityKey: (id: string) => string; readonly revocations: Revocations | undefined },
): Endings {
  const { activityKey, revocations } = options;
  const drop = (id: string): Promise<number> => store.delete(sessionKey(id), activityKey(id));
  /** What is left to do, once nobody can use the session any more. */
  const tell = async (id: string): Promise<void> => {
    await Promise.all([store.publish(endedChannel, id), store.delete(revocationKey(id))]);
  };
  return {
    async end(id) {
      await drop(id);
      await tell(id);
    },
    async endIf(id, bytes) {
      if (!(await store.deleteIf(sessionKey(id), bytes))) return false;
      await drop(id);
      await tell(id);
      return true;
    },
    async endAll(names) {
      const idsOf = async (of: ProviderUser): Promise<[string, ProviderUser][]> =>
        (await store.members(indexKeyOf(of))).map((id) => [id, of]);
      const found = new Map((await Promise.all(names.map(idsOf))).flat());
      const each = async ([id, of]: [string, ProviderUser]): Promise<Revocable | undefined> => {
        const [revocable] = await Promise.all([revocations?.find(id, of), drop(id)]);
        // Not before: when that goes wrong it is done again, and must find the session again.
        const forget = names.map((name) => store.removeMember(indexKeyOf(name), id));
        await Promise.all([tell(id), ...forget]);
        return revocable;
      };
      const revocable = await Promise.all([...found].map(each));
      return { ended: found.size, revocable: revocable.filter((one) => one !== undefined) };
    },
  };
}

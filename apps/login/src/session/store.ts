import { createHash, timingSafeEqual } from "node:crypto";
import { createKeyRing, open, seal } from "@portvakt/runtime/seal";
import { Secret } from "@portvakt/runtime/observe";
import type { KeyValueStore, Lock } from "@portvakt/runtime/store";
import type { Clock } from "@portvakt/oauth";
import { activityIn } from "./activity.ts";
import { remember } from "./bounded.ts";
import { newTicket } from "./cookies.ts";
import {
  decodeSession,
  encodeSession,
  nameOf,
  providerUsersOf,
  type Lifetimes,
  type ProviderUser,
  type Session,
  type SignedIn,
  type Ticket,
} from "./model.ts";
import { revocationKey, type Revocable, type Revocations } from "./revocation.ts";

/** A session that was found, with when it becomes inactive (undefined = never). */
export interface Found {
  readonly session: Session;
  readonly timeoutAt: number | undefined;
}

export interface Sessions {
  /** Stores a new session under a new ticket. */
  create(fields: SignedIn): Promise<{ readonly ticket: Ticket; readonly session: Session }>;
  /** The session of a ticket, also when it is inactive; undefined when it is gone or has ended. Throws when the store is away. */
  find(ticket: Ticket): Promise<Found | undefined>;
  /** Replaces a session's content under a lock; false when it ended meanwhile or a later holder of the lock wrote first. */
  replace(ticket: Ticket, session: Session, lock: Lock): Promise<boolean>;
  lock(id: string, ttlSeconds: number): Promise<Lock | undefined>;
  /** Counts a request as activity. */
  touch(session: Session): void;
  /** Ends one session everywhere; fine when it is gone already. */
  end(id: string): Promise<void>;
  /** Ends all sessions that one session of the provider, or a user there, began. Gives how many, and what of them can be revoked. */
  endAll(of: ProviderUser): Promise<{ readonly ended: number; readonly revocable: readonly Revocable[] }>;
}

/** How many opened sessions a process remembers. What it remembers is checked against the store's bytes at each use. */
const maxOpened = 5000;

interface Opened {
  readonly key: Uint8Array;
  readonly bytes: Uint8Array;
  readonly session: Session;
}

/** The channel on which ended sessions are told to every replica, by their id. */
export const endedChannel = "login:ended";

export interface SessionsOptions {
  readonly lifetimes: Lifetimes;
  readonly now: Clock;
  readonly onTouchFailed: (error: unknown) => void;
  /** Absent = nothing is kept to revoke. */
  readonly revocations?: Revocations | undefined;
}

/** Sessions over a key-value store that holds only what the tickets' keys open. */
export function sessionsIn(store: KeyValueStore, options: SessionsOptions): Sessions {
  const { lifetimes, now, revocations } = options;
  const { maxSeconds, inactivitySeconds } = lifetimes;
  const opened = new Map<string, Opened>();
  const activity = activityIn(store, options);

  const drop = async (id: string): Promise<void> => {
    opened.delete(id);
    await store.delete(sessionKey(id), activity.keyOf(id));
  };
  /** What is left to do, once nobody can use the session any more. */
  const tell = async (id: string): Promise<void> => {
    await Promise.all([store.publish(endedChannel, id), store.delete(revocationKey(id))]);
  };
  return {
    async end(id) {
      await drop(id);
      await tell(id);
    },
    async create(fields) {
      const ticket = newTicket();
      const createdAt = Math.floor(now());
      const endsAt = createdAt + maxSeconds;
      const session: Session = { ...fields, id: ticket.id, createdAt, endsAt, inactivitySeconds };
      await store.set(sessionKey(ticket.id), sealSession(ticket, session), { ttlSeconds: maxSeconds });
      for (const of of providerUsersOf(session)) await store.addMember(indexKeyOf(of), ticket.id, maxSeconds);
      await revocations?.keep(session);
      await activity.start(session);
      return { ticket, session };
    },
    async find(ticket) {
      const bytes = await store.get(sessionKey(ticket.id));
      if (bytes === undefined) return undefined;
      const session = reuse(opened.get(ticket.id), ticket, bytes) ?? openSession(ticket, bytes);
      if (session === undefined || now() >= session.endsAt) return undefined;
      if (session !== opened.get(ticket.id)?.session)
        remember(opened, ticket.id, { key: ticket.key, bytes, session }, maxOpened);
      return { session, timeoutAt: await activity.timeoutAt(session) };
    },
    async replace(ticket, session, lock) {
      const ttlSeconds = Math.max(1, session.endsAt - now());
      // "present": a refresh that ends after a logout must not bring the session back.
      const rules = { ttlSeconds, fence: lock.fence, only: "present" } as const;
      const written = await store.setFenced(sessionKey(ticket.id), sealSession(ticket, session), rules);
      if (written) await revocations?.keep(session, "again");
      return written;
    },
    lock: (id, ttlSeconds) => store.lock(`login:refresh:${id}`, { ttlSeconds }),
    touch: (session) => activity.touch(session),
    async endAll(of) {
      const key = indexKeyOf(of);
      const ids = await store.members(key);
      const each = async (id: string): Promise<Revocable | undefined> => {
        const [found] = await Promise.all([revocations?.find(id, of), drop(id), store.removeMember(key, id)]);
        await tell(id);
        return found;
      };
      const revocable = await Promise.all(ids.map(each));
      return { ended: ids.length, revocable: revocable.filter((one) => one !== undefined) };
    },
  };
}

const sessionKey = (id: string): string => `login:session:${id}`;

/** Names of people's accounts never stand in the store: the index holds their hashes. */
function indexKeyOf(of: ProviderUser): string {
  return `login:index:${createHash("sha256").update(nameOf(of)).digest("base64url")}`;
}

/** What was opened before, if the store still holds the same bytes and the ticket has the key that opened them. */
function reuse(before: Opened | undefined, ticket: Ticket, bytes: Uint8Array): Session | undefined {
  if (before === undefined || !timingSafeEqual(before.key, ticket.key)) return undefined;
  return before.bytes === bytes || Buffer.compare(before.bytes, bytes) === 0 ? before.session : undefined;
}

function ringOf(ticket: Ticket): ReturnType<typeof createKeyRing> {
  return createKeyRing([new Secret(Buffer.from(ticket.key).toString("base64"))]);
}

function sealSession(ticket: Ticket, session: Session): Uint8Array {
  return Buffer.from(seal(ringOf(ticket), `session:${ticket.id}`, encodeSession(session)), "latin1");
}

function openSession(ticket: Ticket, bytes: Uint8Array): Session | undefined {
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const plain = open(ringOf(ticket), `session:${ticket.id}`, sealed);
  return plain === undefined ? undefined : decodeSession(plain);
}

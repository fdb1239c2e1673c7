import { createKeyRing, open, seal } from "@portvakt/runtime/seal";
import { Secret } from "@portvakt/runtime/observe";
import type { KeyValueStore, Lock } from "@portvakt/runtime/store";
import type { Clock } from "@portvakt/oauth";
import { activityIn } from "./activity.ts";
import { newTicket } from "./cookies.ts";
import { endingsIn, indexKeyOf, sessionKey, type Endings } from "./ending.ts";
import {
  decodeSession,
  encodeSession,
  providerUsersOf,
  type Lifetimes,
  type Session,
  type SignedIn,
  type Ticket,
} from "./model.ts";
import type { Revocations } from "./revocation.ts";

/** A session that was found, with when it becomes inactive (undefined = never). */
export interface Found {
  readonly session: Session;
  readonly timeoutAt: number | undefined;
}

export interface Sessions extends Pick<Endings, "end" | "endAll"> {
  /** Stores a new session under a new ticket. */
  create(fields: SignedIn): Promise<{ readonly ticket: Ticket; readonly session: Session }>;
  /** The session of a ticket, also when it is inactive; undefined when it is gone or has ended. Throws when the store is away. */
  find(ticket: Ticket): Promise<Found | undefined>;
  /** Replaces a session's content under a lock; false when it ended meanwhile or a later holder of the lock wrote first. */
  replace(ticket: Ticket, session: Session, lock: Lock): Promise<boolean>;
  lock(id: string, ttlSeconds: number): Promise<RefreshLock | undefined>;
  /** Counts a request as activity. */
  touch(session: Session): void;
  /** Ends a session that the store still holds as it was found with this ticket; gives whether it did. */
  endIf(ticket: Ticket, found: Session): Promise<boolean>;
}

/** The right to refresh a session. */
export interface RefreshLock extends Lock {
  /** Whether its last holder never gave it back: it is gone, or has tokens that it cannot write. */
  readonly orphaned: boolean;
}

/** For how long a holder that lost the store is expected to be back with what it has, seconds. */
const orphanedSeconds = 600;

/** A session as it was opened with one ticket. Checked against the store's bytes at each use. */
interface Opened {
  readonly bytes: Uint8Array;
  readonly session: Session;
}

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
  // Lives as long as its ticket does: with the cookies that are remembered, and with what is open.
  const opened = new WeakMap<Ticket, Opened>();
  const activity = activityIn(store, options);

  const { end, endIf, endAll } = endingsIn(store, { activityKey: activity.keyOf, revocations });
  return {
    end,
    endAll,
    async endIf(ticket, found) {
      const last = opened.get(ticket);
      return last?.session === found && endIf(ticket.id, last.bytes);
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
      const before = opened.get(ticket);
      const session = reuse(before, bytes) ?? openSession(ticket, bytes);
      if (session === undefined || now() >= session.endsAt) return undefined;
      if (session !== before?.session) opened.set(ticket, { bytes, session });
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
    lock: (id, ttlSeconds) => lockRefresh(store, id, ttlSeconds),
    touch: (session) => activity.touch(session),
  };
}

async function lockRefresh(
  store: KeyValueStore,
  id: string,
  ttlSeconds: number,
): Promise<RefreshLock | undefined> {
  const lock = await store.lock(`login:refresh:${id}`, { ttlSeconds });
  if (lock === undefined) return undefined;
  const mark = `login:refreshing:${id}`;
  const orphaned = !(await store.claim(mark, orphanedSeconds));
  const release = async (): Promise<void> => {
    await store.delete(mark);
    await lock.release();
  };
  return { ...lock, orphaned, release };
}

/** What was opened before, if the store still holds the same bytes. */
function reuse(before: Opened | undefined, bytes: Uint8Array): Session | undefined {
  if (before === undefined) return undefined;
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

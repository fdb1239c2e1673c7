import { createHash } from "node:crypto";
import { createKeyRing, open, seal } from "@portvakt/runtime/seal";
import { Secret } from "@portvakt/runtime/observe";
import type { KeyValueStore, Lock } from "@portvakt/runtime/store";
import type { Clock } from "@portvakt/oauth";
import { newTicket } from "./cookies.ts";
import { decodeSession, encodeSession, type Lifetimes, type Session, type Ticket } from "./model.ts";

/** A session that was found, with when it becomes inactive (undefined = never). */
export interface Found {
  readonly session: Session;
  readonly timeoutAt: number | undefined;
}

export interface Sessions {
  /** Stores a new session under a new ticket. */
  create(fields: Omit<Session, "id" | "createdAt" | "endsAt">): Promise<{ ticket: Ticket; session: Session }>;
  /** The session of a ticket, also when it is inactive; undefined when it is gone or has ended. Throws when the store is away. */
  find(ticket: Ticket): Promise<Found | undefined>;
  /** Replaces a session's content under a lock; false when it ended meanwhile or a later holder of the lock wrote first. */
  replace(ticket: Ticket, session: Session, lock: Lock): Promise<boolean>;
  lock(id: string, ttlSeconds: number): Promise<Lock | undefined>;
  /** Counts a request as activity. */
  touch(id: string): void;
  /** Ends one session everywhere; fine when it is gone already. */
  end(id: string): Promise<void>;
  /** Ends all sessions that one session of the provider, or (without one) a user there, began. Gives how many. */
  endAll(
    of: { issuer: string; providerSession: string } | { issuer: string; subject: string },
  ): Promise<number>;
}

/** How many opened sessions a process remembers. What it remembers is checked against the store's bytes at each use. */
const maxRemembered = 5000;
/** Activity is written at most this often per session and process, seconds. */
const activityGranularitySeconds = 1;

interface Remembered {
  readonly bytes: Uint8Array;
  readonly session: Session;
}

/** Sessions over a key-value store that holds only what the tickets' keys open. */
export function sessionsIn(
  store: KeyValueStore,
  options: { lifetimes: Lifetimes; now: Clock; onTouchFailed: (error: unknown) => void },
): Sessions {
  const { lifetimes, now } = options;
  const opened = new Map<string, Remembered>();
  const activity = activityIn(store, options);

  const end = async (id: string): Promise<void> => {
    opened.delete(id);
    await store.delete(sessionKey(id), activityKey(id));
    await store.publish(endedChannel, id);
  };
  const index = async (session: Session, ttlSeconds: number): Promise<void> => {
    const { issuer, providerSession, subject } = session;
    if (providerSession !== undefined)
      await store.addMember(bySession(issuer, providerSession), session.id, ttlSeconds);
    await store.addMember(bySubject(issuer, subject), session.id, ttlSeconds);
  };

  return {
    end,
    async create(fields) {
      const ticket = newTicket();
      const createdAt = Math.floor(now());
      const session: Session = {
        ...fields,
        id: ticket.id,
        createdAt,
        endsAt: createdAt + lifetimes.maxSeconds,
      };
      await store.set(sessionKey(ticket.id), sealSession(ticket, session), {
        ttlSeconds: lifetimes.maxSeconds,
      });
      await index(session, lifetimes.maxSeconds);
      await activity.start(ticket.id);
      return { ticket, session };
    },
    async find(ticket) {
      const bytes = await store.get(sessionKey(ticket.id));
      if (bytes === undefined) return undefined;
      const remembered = opened.get(ticket.id);
      const session =
        remembered !== undefined && sameBytes(remembered.bytes, bytes)
          ? remembered.session
          : openSession(ticket, bytes);
      if (session === undefined || now() >= session.endsAt) return undefined;
      if (session !== remembered?.session) remember(opened, ticket.id, { bytes, session });
      return { session, timeoutAt: await activity.timeoutAt(ticket.id, session) };
    },
    async replace(ticket, session, lock) {
      const ttlSeconds = Math.max(1, session.endsAt - now());
      // "present": a refresh that ends after a logout must not bring the session back.
      return store.setFenced(sessionKey(ticket.id), sealSession(ticket, session), {
        ttlSeconds,
        fence: lock.fence,
        only: "present",
      });
    },
    lock: (id, ttlSeconds) => store.lock(`login:refresh:${id}`, { ttlSeconds }),
    touch: (id) => activity.touch(id),
    async endAll(of) {
      const key =
        "providerSession" in of ? bySession(of.issuer, of.providerSession) : bySubject(of.issuer, of.subject);
      const ids = await store.members(key);
      await Promise.all([...ids].map(async (id) => Promise.all([end(id), store.removeMember(key, id)])));
      return [...ids].length;
    },
  };
}

/** The channel on which ended sessions are told to every replica, by their id. */
export const endedChannel = "login:ended";

interface Activity {
  start(id: string): Promise<void>;
  touch(id: string): void;
  timeoutAt(id: string, session: Session): Promise<number | undefined>;
}

/** When each session was last used. Kept beside the session, so that a request need not rewrite (and re-seal) it. */
function activityIn(
  store: KeyValueStore,
  options: { lifetimes: Lifetimes; now: Clock; onTouchFailed: (error: unknown) => void },
): Activity {
  const { lifetimes, now } = options;
  const { inactivitySeconds } = lifetimes;
  if (inactivitySeconds === undefined)
    return { start: async () => {}, touch: () => {}, timeoutAt: async () => undefined };
  const lastSeen = new Map<string, number>();
  const write = async (id: string, at: number, only?: "present"): Promise<void> => {
    remember(lastSeen, id, at);
    const value = new TextEncoder().encode(String(at));
    await store.set(activityKey(id), value, {
      ttlSeconds: lifetimes.maxSeconds,
      ...(only === undefined ? {} : { only }),
    });
  };
  return {
    start: (id) => write(id, now()),
    touch(id) {
      const at = now();
      if (at - (lastSeen.get(id) ?? 0) < activityGranularitySeconds) return;
      write(id, at, "present").catch(options.onTouchFailed);
    },
    async timeoutAt(id, session) {
      const here = lastSeen.get(id);
      if (here !== undefined && now() < here + inactivitySeconds / 2) return here + inactivitySeconds;
      // Another replica may have served this user since.
      const bytes = await store.get(activityKey(id));
      const there = bytes === undefined ? session.createdAt : Number(new TextDecoder().decode(bytes));
      const last = Math.max(here ?? 0, Number.isFinite(there) ? there : 0);
      remember(lastSeen, id, last);
      return last + inactivitySeconds;
    },
  };
}

const sessionKey = (id: string): string => `login:session:${id}`;
const activityKey = (id: string): string => `login:activity:${id}`;

/** Names of people's accounts never stand in the store: the index holds their hashes. */
function indexKey(kind: string, ...parts: string[]): string {
  return `login:${kind}:${createHash("sha256").update(JSON.stringify(parts)).digest("base64url")}`;
}
const bySession = (issuer: string, providerSession: string): string =>
  indexKey("by-sid", issuer, providerSession);
const bySubject = (issuer: string, subject: string): string => indexKey("by-sub", issuer, subject);

function ringOf(ticket: Ticket): ReturnType<typeof createKeyRing> {
  return createKeyRing([new Secret(Buffer.from(ticket.key).toString("base64"))]);
}

function sealSession(ticket: Ticket, session: Session): Uint8Array {
  return Buffer.from(seal(ringOf(ticket), `session:${ticket.id}`, encodeSession(session)), "latin1");
}

function openSession(ticket: Ticket, bytes: Uint8Array): Session | undefined {
  const plain = open(
    ringOf(ticket),
    `session:${ticket.id}`,
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"),
  );
  return plain === undefined ? undefined : decodeSession(plain);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}

/** Puts an entry last and drops the first when there are too many. */
function remember<T>(entries: Map<string, T>, key: string, value: T): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= maxRemembered) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}

import { setTimeout as delay } from "node:timers/promises";
import type { Session } from "./model.ts";
import type { Renewal } from "./refresh.ts";

/**
 * Tokens that a provider gave while the store went away. The refresh token before them may be spent: this process holds the only
 * copy, and the session lives on only if the store gets it.
 */
export interface Unwritten {
  /** Whether what a provider would give now could be kept. Without room nobody is asked. */
  hasRoom(): boolean;
  has(id: string): boolean;
  /** Keeps a session, and calls `write` until it no longer throws. */
  keep(session: Session, write: () => Promise<Renewal>): void;
  /** Writes what is kept of a session, if the store takes it now; else gives it from here. Undefined when nothing is kept. */
  renewal(id: string): Promise<Renewal> | undefined;
  /** Resolves when nothing is kept any more. */
  settled(): Promise<void>;
}

const maxKept = 5000;
/** Soon after the store is back, before another replica asks with the token that is spent. */
const againMilliseconds = 100;

interface Kept {
  readonly session: Session;
  readonly write: () => Promise<Renewal>;
}

/** Keeps tokens for as long as the store is away. */
export function unwrittenSessions(): Unwritten {
  const kept = new Map<string, Kept>();
  let writing: Promise<void> | undefined;

  const finish = async (id: string, { session, write }: Kept): Promise<Renewal> => {
    try {
      const renewal = await write();
      kept.delete(id);
      return renewal;
    } catch {
      return { kind: "usable", session };
    }
  };
  const writeAll = async (): Promise<void> => {
    while (kept.size > 0) {
      await delay(againMilliseconds, undefined, { ref: false });
      await Promise.all([...kept].map(([id, one]) => finish(id, one)));
    }
    writing = undefined;
  };
  return {
    hasRoom: () => kept.size < maxKept,
    has: (id) => kept.has(id),
    keep(session, write) {
      kept.set(session.id, { session, write });
      writing ??= writeAll();
    },
    renewal(id) {
      const one = kept.get(id);
      return one === undefined ? undefined : finish(id, one);
    },
    settled: async () => writing,
  };
}

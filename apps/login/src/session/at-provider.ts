import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@portvakt/oauth";
import { isExpired, type Session, type Ticket, type Tokens } from "./model.ts";
import type { RefreshOnce, Renewal } from "./refresh.ts";
import type { RefreshLock, Sessions } from "./store.ts";
import type { Unwritten } from "./unwritten.ts";

/** What the provider made of a refresh token. */
export type RefreshAnswer =
  | { readonly kind: "renewed"; readonly tokens: Tokens }
  /** Final: the session is over at the provider. */
  | { readonly kind: "refused" }
  /** The provider could not be asked, or answered with trouble of its own. */
  | { readonly kind: "unavailable" };

export interface ProviderRefreshOptions {
  readonly sessions: Pick<Sessions, "find" | "replace" | "lock" | "endIf">;
  readonly ask: (session: Session) => Promise<RefreshAnswer>;
  readonly now: Clock;
  readonly count: (outcome: RefreshAnswer["kind"]) => void;
  /** Takes tokens that came when the session had ended. */
  readonly discard: (session: Session) => void;
  readonly unwritten: Unwritten;
}

/** The lock outlives the slowest answer of a provider (10 s); a holder that dies delays the others by no more than this. */
const lockSeconds = 15;
const waitSeconds = 20;
const pollMilliseconds = 20;
/** A failure that came sooner than this is tried once more, where nothing else is left. */
const quickFailureSeconds = 2;
const secondTryMilliseconds = 200;
/** How many looks, at the pace of waiting, a process gets that has tokens and could not write them: about 2 s. */
const looksForSuccessor = 100;

/** A refresh that is this process's to make. */
interface Turn {
  readonly ticket: Ticket;
  /** As the store held it when the lock was ours. */
  readonly session: Session;
  readonly lock: RefreshLock;
}

/** Refreshes at the provider: one lock in the store for all processes, and a fence against a holder that was too slow. */
export function refreshAtProvider(options: ProviderRefreshOptions): RefreshOnce {
  return async (ticket, seen) =>
    (await options.unwritten.renewal(ticket.id)) ?? refreshLocked(ticket, seen, options);
}

async function refreshLocked(
  ticket: Ticket,
  seen: Session,
  options: ProviderRefreshOptions,
): Promise<Renewal> {
  const { sessions, now, unwritten } = options;
  const giveUpAt = now() + waitSeconds;
  for (;;) {
    const lock = await sessions.lock(ticket.id, lockSeconds);
    try {
      const found = await sessions.find(ticket);
      if (found === undefined) return { kind: "ended" };
      // Somebody else refreshed while we waited: theirs is the successor.
      if (isSuccessor(found.session, seen)) return { kind: "usable", session: found.session };
      const turn = lock && { ticket, session: found.session, lock };
      const renewal = turn && (await renew(turn, options));
      if (renewal !== undefined) return renewal;
    } finally {
      // A lock that could not be given back frees itself. While what it guards is unwritten, it is kept.
      if (!unwritten.has(ticket.id)) await lock?.release().catch(() => undefined);
    }
    if (now() >= giveUpAt) return { kind: "unavailable" };
    await delay(pollMilliseconds);
  }
}

const isSuccessor = (session: Session, before: Session): boolean =>
  session.tokens.accessToken !== before.tokens.accessToken;

/** Undefined when the turn was lost to another process before there was anything to write. */
async function renew(turn: Turn, options: ProviderRefreshOptions): Promise<Renewal | undefined> {
  const { unwritten } = options;
  if (!unwritten.hasRoom()) return { kind: "unavailable" };
  const successor = turn.lock.orphaned ? await awaitSuccessor(turn, options) : undefined;
  if (successor !== undefined) return successor;
  const answer = await askTwice(turn, options);
  if (answer.kind === "unavailable") return { kind: "unavailable" };
  if (answer.kind === "refused") return endRefused(turn, options);
  const renewed: Session = { ...turn.session, tokens: answer.tokens };
  const write = async (): Promise<Renewal> => writeRenewed(turn, renewed, options);
  try {
    return await write();
  } catch {
    // The store went away in between. The old refresh token may be spent: asking again with it would end the session.
    unwritten.keep(renewed, async () => {
      const renewal = await write();
      await turn.lock.release().catch(() => undefined);
      return renewal;
    });
    return { kind: "usable", session: renewed };
  }
}

/** The last holder may be back with the store, and about to write what it got for the token that we would send: once more is too often. */
async function awaitSuccessor(
  { ticket, session }: Turn,
  { sessions }: ProviderRefreshOptions,
): Promise<Renewal | undefined> {
  for (let looks = 0; looks < looksForSuccessor; looks++) {
    await delay(pollMilliseconds);
    const found = await sessions.find(ticket);
    if (found === undefined) return { kind: "ended" };
    if (isSuccessor(found.session, session)) return { kind: "usable", session: found.session };
  }
  return undefined;
}

/** A provider that stumbles once is asked again when the old token is no longer of use: else every waiting request would fail with it. */
async function askTwice(
  { session, lock }: Turn,
  { ask, count, now }: ProviderRefreshOptions,
): Promise<RefreshAnswer> {
  const askedAt = now();
  const first = await ask(session);
  count(first.kind);
  const failedSoon = first.kind === "unavailable" && now() - askedAt < quickFailureSeconds;
  if (!failedSoon || !isExpired(session.tokens, now())) return first;
  await delay(secondTryMilliseconds);
  if (!(await lock.extend(lockSeconds))) return first;
  const second = await ask(session);
  count(second.kind);
  return second;
}

/**
 * A refusal is final for the token that was sent, and so for the session that still holds it. A process that was slower than its
 * lock may write the successor at any time: the session goes only under a lock that is still ours, and only as it was refused.
 */
async function endRefused(
  { ticket, session, lock }: Turn,
  { sessions }: ProviderRefreshOptions,
): Promise<Renewal | undefined> {
  if (!(await lock.extend(lockSeconds))) return undefined;
  const found = await sessions.find(ticket);
  if (found === undefined) return { kind: "ended" };
  if (isSuccessor(found.session, session)) return { kind: "usable", session: found.session };
  return (await sessions.endIf(ticket, found.session)) ? { kind: "ended" } : undefined;
}

async function writeRenewed(
  { ticket, lock }: Turn,
  renewed: Session,
  { sessions, discard }: ProviderRefreshOptions,
): Promise<Renewal> {
  if (await sessions.replace(ticket, renewed, lock)) return { kind: "usable", session: renewed };
  // Ended meanwhile, or a later holder of the lock wrote: what the store says now is what counts.
  const found = await sessions.find(ticket);
  if (found !== undefined) return { kind: "usable", session: found.session };
  discard(renewed);
  return { kind: "ended" };
}

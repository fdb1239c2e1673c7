import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Ticket } from "../session/model.ts";

/** Connections that outlive a request. They belong to sessions, and end when those do. */
export interface LiveConnections {
  /** Remembers an open connection of a session's and how to end it; forgets it when it closes. */
  addSocket(ticket: Ticket, client: Duplex, end: () => void): void;
  /** Remembers an answer that may go on for ever. */
  addStream(ticket: Ticket, response: ServerResponse): void;
}

export interface LiveRegistry extends LiveConnections {
  /** Closes what a session still has open here: the way of a logout that was heard of. */
  end(sessionId: string): void;
  /** Closes everything, at shutdown. */
  close(): void;
}

/** How often it is asked whether the sessions with open connections still live, milliseconds. */
const sweepMilliseconds = 1000;

interface Holder {
  readonly ticket: Ticket;
  readonly closers: Set<() => void>;
}

/**
 * Keeps track of open connections by session. A logout elsewhere is told at once; an expiry tells nobody, so each session that has
 * something open is looked up once a second. A store that does not answer closes nothing.
 */
export function liveConnections(isLive: (ticket: Ticket) => Promise<boolean>): LiveRegistry {
  const open = new Map<string, Holder>();
  const add = (ticket: Ticket, close: () => void): (() => void) => {
    const holder = open.get(ticket.id) ?? { ticket, closers: new Set() };
    open.set(ticket.id, holder);
    holder.closers.add(close);
    return () => {
      holder.closers.delete(close);
      if (holder.closers.size === 0 && open.get(ticket.id) === holder) open.delete(ticket.id);
    };
  };
  const end = (sessionId: string): void => {
    for (const close of open.get(sessionId)?.closers ?? []) close();
  };
  const sweep = async (): Promise<void> => {
    for (const { ticket } of open.values()) if (!(await isLive(ticket).catch(() => true))) end(ticket.id);
  };
  let sweeping = false;
  const timer = setInterval(() => {
    if (sweeping || open.size === 0) return;
    sweeping = true;
    void sweep().finally(() => {
      sweeping = false;
    });
  }, sweepMilliseconds);
  timer.unref();
  return {
    addSocket: (ticket, client, close) => void client.once("close", add(ticket, close)),
    addStream: (ticket, response) =>
      void response.once(
        "close",
        add(ticket, () => response.destroy()),
      ),
    end,
    close() {
      clearInterval(timer);
      for (const id of open.keys()) end(id);
    },
  };
}

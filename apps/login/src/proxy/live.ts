import type { LiveConnections } from "./proxy.ts";

export interface LiveRegistry extends LiveConnections {
  /** Closes what a session still has open here. */
  end(sessionId: string): void;
  /** Closes everything, at shutdown. */
  endAll(): void;
}

/** Keeps track of the connections that outlive a request, by session. */
export function liveConnections(): LiveRegistry {
  const open = new Map<string, Set<() => void>>();
  const add = (sessionId: string, close: () => void, ended: (forget: () => void) => void): void => {
    const closers = open.get(sessionId) ?? new Set();
    open.set(sessionId, closers.add(close));
    ended(() => {
      closers.delete(close);
      if (closers.size === 0 && open.get(sessionId) === closers) open.delete(sessionId);
    });
  };
  return {
    addSocket(sessionId, client, end) {
      add(sessionId, end, (forget) => client.once("close", forget));
    },
    addStream(sessionId, response) {
      add(
        sessionId,
        () => response.destroy(),
        (forget) => response.once("close", forget),
      );
    },
    end(sessionId) {
      for (const close of open.get(sessionId) ?? []) close();
    },
    endAll() {
      for (const closers of open.values()) for (const close of closers) close();
    },
  };
}

import { ProtocolError } from "@portvakt/oauth";
import type { Connection } from "./connection.ts";

/** The enabled providers, by name and alias. */
export interface Connections {
  readonly all: readonly Connection[];
  /** Throws: ProtocolError `invalid_request` when no provider of this name is enabled. */
  byName(name: string): Connection;
}

/** Looks providers up by what callers write in `identity_provider`. */
export function createConnections(all: readonly Connection[]): Connections {
  const byName = new Map(
    all.flatMap((connection) =>
      [connection.provider.name, ...connection.provider.aliases].map((name) => [name, connection] as const),
    ),
  );
  return {
    all,
    byName(name) {
      const connection = byName.get(name);
      if (connection !== undefined) return connection;
      const shown = name.replaceAll(/[^A-Za-z0-9_.-]/g, "?").slice(0, 64);
      throw new ProtocolError("invalid_request", `identity provider '${shown}' is not enabled`);
    },
  };
}

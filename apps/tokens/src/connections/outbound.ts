import type { SettingsOf } from "@portvakt/runtime/config";
import type { settings as schema } from "../settings.ts";

/** How providers are reached. */
export interface Outbound {
  readonly fetch: typeof fetch;
  /** Ends every connection. */
  close(): Promise<void>;
}

type Settings = Pick<SettingsOf<typeof schema>, "connectSeconds" | "connectMillis" | "connections">;

/** Idle connections are given up after this long; providers and what stands before them do so after a minute or more. */
const idleMillis = 10_000;

/**
 * Opens connections to providers as the settings want them. Where they want nothing, Node.js's own are used, and what would
 * make others is not even loaded.
 */
export async function openOutbound(settings: Settings): Promise<Outbound> {
  const { connectSeconds, connectMillis, connections } = settings;
  const timeout = connectMillis ?? (connectSeconds === undefined ? undefined : connectSeconds * 1000);
  if (timeout === undefined && connections === undefined) {
    return { fetch: globalThis.fetch, close: () => Promise.resolve() };
  }
  const { Agent } = await import("undici");
  const dispatcher = new Agent({
    keepAliveTimeout: idleMillis,
    ...(timeout === undefined ? {} : { connect: { timeout } }),
    ...(connections === undefined ? {} : { connections }),
  });
  return {
    fetch(input, init) {
      const through = { ...init, dispatcher };
      return globalThis.fetch(input, through);
    },
    close: () => dispatcher.destroy(),
  };
}

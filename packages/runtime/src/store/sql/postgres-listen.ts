// One connection that LISTENs for all channels of a process, and comes back when it is lost.
import type { Client } from "pg";
import type { Logger } from "../../observe/index.ts";
import { checkChannel } from "./contract.ts";

type Listener = (payload: string | undefined) => void;

const retryMs = (tries: number): number => Math.min(100 * 2 ** Math.min(tries, 5), 2000);

export class PostgresListener {
  readonly #create: () => Client;
  readonly #log: Logger | undefined;
  readonly #channels = new Map<string, Set<Listener>>();
  #client: Promise<Client> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(create: () => Client, log: Logger | undefined) {
    this.#create = create;
    this.#log = log;
  }

  /** Rejects when the database cannot be reached now; once it was, the subscription survives every loss of the connection. */
  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    checkChannel(channel);
    const listeners = this.#channels.get(channel) ?? new Set();
    const own: Listener = (payload) => listener(payload);
    this.#channels.set(channel, listeners.add(own));
    const stop = async (): Promise<void> => {
      listeners.delete(own);
      if (listeners.size > 0 || this.#channels.get(channel) !== listeners) return;
      this.#channels.delete(channel);
      await (await this.#client?.catch(() => undefined))?.query(`unlisten ${channel}`).catch(() => undefined);
    };
    try {
      const client = await (this.#client ??= this.#connect());
      await client.query(`listen ${channel}`);
    } catch (error) {
      await stop();
      throw error;
    }
    return stop;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#channels.clear();
    await (await this.#client?.catch(() => undefined))?.end().catch(() => undefined);
  }

  async #connect(): Promise<Client> {
    const client = this.#create();
    client.on("notification", ({ channel, payload }) => {
      for (const listener of this.#channels.get(channel) ?? []) listener(payload ?? "");
    });
    client.on("error", () => {}); // "end" follows, and does the work
    try {
      await client.connect();
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
    client.once("end", () => this.#lost());
    return client;
  }

  #lost(tries = 0): void {
    this.#client = undefined;
    if (this.#closed) return;
    if (tries === 0) this.#log?.warn("notification connection lost");
    this.#retry = setTimeout(() => void this.#restore(tries), retryMs(tries));
  }

  async #restore(tries: number): Promise<void> {
    try {
      const client = await (this.#client ??= this.#connect());
      for (const channel of this.#channels.keys()) await client.query(`listen ${channel}`);
    } catch {
      this.#lost(tries + 1);
      return;
    }
    this.#log?.info("notification connection back");
    for (const listeners of this.#channels.values()) for (const listener of listeners) listener(undefined);
  }
}

// One connection to Redis or Valkey: every call ends in bounded time, and a connection that has fallen silent is replaced.
import { setImmediate as turn } from "node:timers/promises";
import { createClient, RESP_TYPES } from "@redis/client";
import type { Logger, Secret } from "../../observe/index.ts";
import { StoreUnavailable } from "./contract.ts";
import { scripts } from "./redis-scripts.ts";

export interface RedisOptions {
  /** `redis://` or `rediss://` (TLS), with user name and password in it where the server wants them. */
  readonly url: Secret;
  readonly username?: string;
  readonly password?: Secret;
  /** Put before every key and channel. */
  readonly keyPrefix?: string;
  /** How long a call may take before it fails. Default 2 s. */
  readonly timeoutSeconds?: number;
  /** After how long the server, or something on the way, closes an idle connection. */
  readonly idleSeconds?: number;
  /** Values kept in this process while the server watches them for us. Default 10,000; 0 turns it off. */
  readonly cacheEntries?: number;
  readonly log?: Logger;
}

/** Retries soon, then every second: a store that returns is in use again within about a second. */
const retryDelay = (retries: number): number => Math.min(50 * 2 ** Math.min(retries, 5), 1000);

function newClient(options: RedisOptions, timeoutMs: number) {
  return createClient({
    url: options.url.reveal(),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password.reveal() }),
    scripts,
    RESP: 3,
    emitInvalidate: true,
    // While the connection is down calls fail at once instead of piling up.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 100_000,
    maintNotifications: "disabled",
    // What we send counts as activity too: this ends only handshakes that nobody answers.
    socket: { connectTimeout: timeoutMs, socketTimeout: 3000, reconnectStrategy: retryDelay },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}

type Client = ReturnType<typeof newClient>;

/** What becomes of a connection. */
export interface LinkEvents {
  /** From now on nobody tells what changes at the server. */
  readonly lost: (cause: unknown) => void;
  readonly ready: () => void;
}

const longestSilenceMs = 1000;
/** An answer takes a millisecond. After this long without one it is in doubt whether the server can still tell us anything. */
const doubtMs = 200;

/**
 * A firewall that forgets a connection tells nobody: what we send is never answered, and what the server would tell us never comes.
 * So the server is asked every second; a connection on which that or any other call goes unanswered is dropped and made anew.
 */
export class RedisLink {
  readonly client: Client;
  readonly #events: LinkEvents;
  readonly #timeoutMs: number;
  readonly #silenceMs: number;
  readonly #pings: NodeJS.Timeout;
  #askedAt: number | undefined;
  #closed = false;

  constructor(options: RedisOptions, events: LinkEvents, client?: Client) {
    this.#events = events;
    this.#timeoutMs = (options.timeoutSeconds ?? 2) * 1000;
    this.#silenceMs = Math.min(longestSilenceMs, this.#timeoutMs);
    this.client = client ?? newClient(options, this.#timeoutMs);
    this.client.on("error", events.lost);
    this.client.on("ready", events.ready);
    const everyMs = Math.min(longestSilenceMs, (options.idleSeconds ?? 4) * 500);
    this.#pings = setInterval(() => void this.#ask(), everyMs);
    this.#pings.unref();
  }

  /** Whether the server's word on what has changed can be relied on. */
  get isSure(): boolean {
    return this.#askedAt === undefined || performance.now() - this.#askedAt < doubtMs;
  }

  /** Begins to connect, and goes on until it is. Resolves when it is or when a call would have taken too long, whichever comes first. */
  async open(): Promise<void> {
    const connected = this.client.connect().then(
      () => undefined,
      () => undefined,
    );
    await this.#within(connected, this.#timeoutMs);
  }

  /** Ends every call in bounded time, and gives every failure the one name that callers know. *Throws* StoreUnavailable. */
  async inTime<T>(call: Promise<T>): Promise<T> {
    let answer: { readonly value: T } | undefined;
    try {
      answer = await this.#within(call, this.#timeoutMs);
    } catch (cause) {
      throw new StoreUnavailable("the key-value store cannot be used", { cause });
    }
    if (answer !== undefined) return answer.value;
    const late = new StoreUnavailable("the key-value store did not answer in time");
    this.#drop(late);
    throw late;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#pings);
    const answered = this.client.isReady && this.#within(this.client.close(), this.#timeoutMs);
    if (!(await Promise.resolve(answered).catch(() => false))) this.client.destroy();
  }

  async #ask(): Promise<void> {
    if (this.#askedAt !== undefined || !this.client.isReady) return;
    this.#askedAt = performance.now();
    try {
      const answer = await this.#within(this.client.ping(), this.#silenceMs);
      if (answer === undefined) this.#drop(new StoreUnavailable("the key-value store has fallen silent"));
    } catch {
      // An error is an answer; a connection that was lost is made anew already.
    } finally {
      this.#askedAt = undefined;
    }
  }

  #drop(cause: StoreUnavailable): void {
    // A connection that is being made is given up by its own timeouts.
    if (this.#closed || !this.client.isReady) return;
    this.#events.lost(cause);
    this.client.destroy();
    void this.client.connect().catch(() => undefined);
  }

  /** What the call gives, or undefined when it takes longer. An answer that has arrived while this process was busy is not late. */
  async #within<T>(call: Promise<T>, milliseconds: number): Promise<{ readonly value: T } | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => void turn().then(() => resolve(undefined)), milliseconds);
    });
    try {
      return await Promise.race([call.then((value) => ({ value })), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

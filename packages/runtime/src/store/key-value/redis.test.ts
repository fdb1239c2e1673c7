import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { createClient } from "@redis/client";
import { Secret } from "../../observe/index.ts";
import { eventually } from "../suite/eventually.ts";
import { openKeyValueStore, StoreUnavailable } from "../index.ts";
import type { KeyValueStore } from "../index.ts";
import { keyValueSuite } from "../suite.ts";

const address = process.env["PORTVAKT_TEST_REDIS_URL"] ?? "";
const now = (): number => 0;

/** A connection of the test's own, to see what the server sees. */
const control = createClient({ url: address === "" ? "redis://127.0.0.1:1" : address });

async function serverMillis(): Promise<number> {
  const [seconds, micros] = await control.sendCommand<[string, string]>(["TIME"]);
  return Number(seconds) * 1000 + Number(micros) / 1000;
}

/** A TCP relay in front of the server, to take it away and to give it back. */
async function relay(options: { readonly idleMs?: number } = {}): Promise<{
  url: Secret;
  cut(): Promise<void>;
  restore(): Promise<void>;
  stall(): void;
  /** What is connected now falls silent, as when a firewall forgets it; new connections work. */
  forget(): void;
  /** How often the store has sent something. */
  requests(): number;
  /** How often the store has connected. */
  connections(): number;
  close(): Promise<void>;
}> {
  const { hostname, port } = new URL(address);
  const pairs = new Set<net.Socket>();
  const silent = new Set<net.Socket>();
  let stalled = false;
  let requests = 0;
  let connections = 0;
  const server = net.createServer((near) => {
    connections += 1;
    if (options.idleMs !== undefined) near.setTimeout(options.idleMs, () => near.destroy());
    const far = net.connect(Number(port === "" ? 6379 : port), hostname);
    for (const socket of [near, far]) {
      pairs.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => (near.destroy(), far.destroy(), pairs.delete(socket)));
    }
    near.on("data", (data) => void (++requests, stalled || silent.has(near) || far.write(data)));
    far.on("data", (data) => void (stalled || silent.has(near) || near.write(data)));
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as net.AddressInfo).port;
  };
  const own = await listen(0);
  const cut = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of pairs) socket.destroy();
    await closed;
  };
  return {
    url: new Secret(`redis://127.0.0.1:${own}`),
    cut,
    restore: async () => void (await listen(own)),
    stall: () => void (stalled = true),
    forget: () => pairs.forEach((socket) => silent.add(socket)),
    requests: () => requests,
    connections: () => connections,
    close: async () => (server.listening ? await cut() : undefined),
  };
}

describe("Redis", { timeout: 60_000 }, () => {
  before(async () => {
    assert.ok(
      address !== "",
      "PORTVAKT_TEST_REDIS_URL is not set: start Redis or Valkey and name it, for example redis://127.0.0.1:6379",
    );
    await control.connect();
  });
  after(() => void (control.isOpen && control.destroy()));

  const open = (url = new Secret(address)): Promise<KeyValueStore> => openKeyValueStore({ url, now });

  keyValueSuite("Redis", async () => {
    const [store, replica] = [await open(), await open()];
    return {
      store,
      replica,
      advance: async (seconds) => {
        const until = (await serverMillis()) + seconds * 1000;
        await eventually(async () => (await serverMillis()) > until);
      },
      close: async () => {
        await store.close();
        await replica.close();
      },
    };
  });

  it("reads a value again without asking the server, and sees another replica's change within 100 ms", async () => {
    const between = await relay();
    const [store, replica] = [await open(between.url), await open()];
    await store.set("cached", Buffer.from("1"), { ttlSeconds: 60 });
    await store.get("cached");
    const before = between.requests();
    for (let i = 0; i < 1000; i++) await store.get("cached");
    assert.ok(between.requests() - before <= 1, "1,000 reads cost nothing but perhaps a ping");
    const delays: number[] = [];
    for (const value of ["2", "3", "4", "5", "6"]) {
      await replica.set("cached", Buffer.from(value), { ttlSeconds: 60 });
      const changed = performance.now();
      await eventually(async () => Buffer.from((await store.get("cached")) ?? []).toString() === value);
      delays.push(performance.now() - changed);
    }
    assert.ok(Math.min(...delays) < 100, "the best of five: this machine may be busy");
    await store.close();
    await replica.close();
    await between.close();
  });

  it("fails calls within 2 s while the server is away, and heals by itself", async () => {
    const between = await relay();
    const store = await open(between.url);
    const heard: string[] = [];
    await store.subscribe("healing", (message) => heard.push(message));
    await store.set("healing", Buffer.from("1"), { ttlSeconds: 60 });
    assert.ok((await store.get("healing")) !== undefined);
    await between.cut();
    await eventually(() => store.ping().then(() => false, () => true)); // prettier-ignore
    const asked = performance.now();
    await assert.rejects(
      store.get("healing"),
      StoreUnavailable,
      "not even a value that was cached: nobody would tell of its change",
    );
    await assert.rejects(store.claim("healing:jti", 60), StoreUnavailable);
    await assert.rejects(store.lock("healing:lock", { ttlSeconds: 60 }), StoreUnavailable);
    assert.ok(performance.now() - asked < 2000);
    await between.restore();
    await eventually(() => store.ping().then(() => true, () => false)); // prettier-ignore
    assert.equal(Buffer.from((await store.get("healing")) ?? []).toString(), "1");
    await eventually(async () => {
      await store.publish("healing", "back");
      return heard.includes("back");
    });
    await store.close();
    await between.close();
  });

  it("fails a call to a server that accepts but never answers, in bounded time", async () => {
    const between = await relay();
    const store = await openKeyValueStore({ url: between.url, now, timeoutSeconds: 0.3 });
    between.stall();
    const asked = performance.now();
    await assert.rejects(store.get("stalled"), StoreUnavailable);
    assert.ok(performance.now() - asked < 1500);
    await store.close();
    await between.close();
  });

  it("gives nothing that it remembers once a call went unanswered: a change may not have been told", async () => {
    const between = await relay();
    const store = await openKeyValueStore({ url: between.url, now, timeoutSeconds: 0.3 });
    await store.set("remembered", Buffer.from("1"), { ttlSeconds: 60 });
    assert.ok((await store.get("remembered")) !== undefined);
    between.stall();
    await assert.rejects(store.claim("unanswered", 60), StoreUnavailable);
    await assert.rejects(store.get("remembered"), StoreUnavailable);
    await store.close();
    await between.close();
  });

  it("asks the server for what it remembers while a ping is unanswered: in doubt nothing is taken for unchanged", async () => {
    const between = await relay();
    const store = await openKeyValueStore({ url: between.url, now, idleSeconds: 0.1 });
    await store.set("doubted", Buffer.from("1"), { ttlSeconds: 60 });
    assert.ok((await store.get("doubted")) !== undefined);
    between.stall();
    const asked = async (): Promise<boolean> => {
      // What is remembered is there within the same turn; so is a connection's end.
      const read = store.get("doubted").then(() => "remembered", () => "lost"); // prettier-ignore
      return (await Promise.race([read, turn("asked")])) === "asked";
    };
    await eventually(asked);
    await store.close();
    await between.close();
  });

  it("replaces connections that a firewall forgot, however much is sent on them: what was changed meanwhile is seen, and messages come again", async () => {
    const between = await relay();
    const [store, replica] = [
      await openKeyValueStore({ url: between.url, now, timeoutSeconds: 0.3, idleSeconds: 0.2 }),
      await open(),
    ];
    const heard: string[] = [];
    await store.subscribe("forgotten", (message) => heard.push(message));
    await store.set("forgotten", Buffer.from("session"), { ttlSeconds: 60 });
    assert.ok((await store.get("forgotten")) !== undefined);
    between.forget();
    const forgotten = performance.now();
    await replica.delete("forgotten");
    await eventually(async () => {
      // Nobody waits for these, as for the times at which sessions were last used.
      store.set("activity", Buffer.from("1"), { ttlSeconds: 60 }).catch(() => {});
      return (await store.get("forgotten").catch(() => undefined)) === undefined;
    });
    assert.ok(performance.now() - forgotten < 2000, "0.1 s until it is asked, 0.3 s for the answer");
    await eventually(async () => {
      await replica.publish("forgotten", "again");
      return heard.includes("again");
    });
    assert.equal(await store.claim("forgotten:claim", 1), true);
    assert.equal(between.connections(), 4);
    await store.close();
    await replica.close();
    await between.close();
  });

  it("keeps a connection that something on the way closes when it is idle", async () => {
    const between = await relay({ idleMs: 1000 });
    const store = await openKeyValueStore({ url: between.url, now, idleSeconds: 0.4 });
    await store.ping();
    const before = between.requests();
    await eventually(() => between.requests() >= before + 8); // 1.6 s of nothing but pings
    assert.equal(between.connections(), 1);
    await store.close();
    await between.close();
  });

  it("opens without a server, and never shows the password", async () => {
    const between = await relay();
    await between.cut();
    const store = await openKeyValueStore({
      url: new Secret(between.url.reveal().replace("//", "//user:hunter2@")),
      now,
      timeoutSeconds: 0.3,
    });
    await assert.rejects(
      store.ping(),
      (error: Error) =>
        error instanceof StoreUnavailable && !`${error.message}${String(error.cause)}`.includes("hunter2"),
    );
    await store.close();
  });

  it("keeps the fence rising when the counter of fences is gone", async () => {
    const store = await open();
    const first = await store.lock("forgotten", { ttlSeconds: 60 });
    await first?.release();
    assert.equal(await control.del("{portvakt:forgotten}:fences"), 1);
    const second = await store.lock("forgotten", { ttlSeconds: 60 });
    assert.ok(first !== undefined && second !== undefined && second.fence > first.fence);
    await second.release();
    await store.close();
  });
});

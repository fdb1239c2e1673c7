import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openKeyValueStore, StoreUnavailable } from "../index.ts";
import { keyValueSuite } from "../suite.ts";

keyValueSuite("memory", async () => {
  let time = 1_700_000_000;
  const store = await openKeyValueStore({ now: () => time });
  return {
    store,
    replica: store,
    advance: async (seconds) => {
      time += seconds;
    },
    close: () => store.close(),
  };
});

describe("store in memory", () => {
  const value = new Uint8Array();

  it("refuses new keys when it is full of live ones, and takes them when some have expired", async () => {
    let time = 1000;
    const store = await openKeyValueStore({ now: () => time, maxEntries: 3 });
    for (const key of ["a", "b", "c"]) assert.equal(await store.claim(key, 10), true);
    await assert.rejects(store.claim("d", 10), StoreUnavailable);
    assert.equal(await store.claim("a", 10), false, "a replay mark is never evicted");
    assert.equal(await store.set("a", value, { ttlSeconds: 10 }), true, "keys that are there may be renewed");
    time += 11;
    assert.equal(await store.claim("d", 10), true);
  });

  it("gives up expired entries as it goes, without a timer", async () => {
    let time = 1000;
    const store = await openKeyValueStore({ now: () => time, maxEntries: 1000 });
    for (let i = 0; i < 20_000; i++) {
      time += 1;
      await store.set(`key ${i}`, value, { ttlSeconds: 100 });
    }
    assert.equal(await store.get("key 1"), undefined);
  });

  it("refuses a URL that is not Redis's", async () => {
    const { Secret } = await import("../../observe/index.ts");
    await assert.rejects(
      openKeyValueStore({ url: new Secret("http://user:hunter2@x"), now: () => 0 }),
      (error: Error) => !error.message.includes("hunter2"),
    );
  });
});

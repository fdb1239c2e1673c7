// The tests that every key-value store passes.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { KeyValueStore } from "../key-value/contract.ts";
import { eventually } from "./eventually.ts";

/** A store under test. */
export interface KeyValueSubject {
  readonly store: KeyValueStore;
  /** A second handle on the same data, as another replica has it; the store itself where there can be no other. */
  readonly replica: KeyValueStore;
  /** Lets the given time pass for the store: moves its clock, or waits until the server itself says so. */
  readonly advance: (seconds: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

/** Registers the suite. `open` is called once; keys are unique to each test, so a shared server is fine. */
export function keyValueSuite(name: string, open: () => Promise<KeyValueSubject>): void {
  describe(`key-value store: ${name}`, { timeout: 30_000 }, () => {
    let subject: KeyValueSubject;
    let key: string;
    before(async () => {
      subject = await open();
    });
    after(() => subject.close());
    const unique = (): string => (key = `test:${randomUUID()}`);

    values(() => subject, unique);
    removal(() => subject, unique);
    sets(() => subject, unique);
    locks(() => subject, unique);
    fences(() => subject, unique);
    messages(() => subject, unique);

    it("refuses a time to live that is not positive and finite", async () => {
      for (const ttlSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assert.rejects(subject.store.set(unique(), bytes("x"), { ttlSeconds }), RangeError);
        await assert.rejects(subject.store.addMember(key, "x", ttlSeconds), RangeError);
        await assert.rejects(subject.store.claim(key, ttlSeconds), RangeError);
      }
    });

    it("answers a ping", () => subject.store.ping());
  });
}

function values(subject: () => KeyValueSubject, unique: () => string): void {
  it("gives back the bytes that were set, and undefined for what was not", async () => {
    const { store } = subject();
    const key = unique();
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    assert.equal(await store.get(key), undefined);
    assert.equal(await store.set(key, value, { ttlSeconds: 60 }), true);
    assert.deepEqual(new Uint8Array((await store.get(key)) ?? []), value);
  });

  it("reads its own writes, and another replica's soon", async () => {
    const { store, replica } = subject();
    const key = unique();
    await store.set(key, bytes("1"), { ttlSeconds: 60 });
    assert.equal(text(await store.get(key)), "1");
    assert.equal(text(await replica.get(key)), "1");
    await store.set(key, bytes("2"), { ttlSeconds: 60 });
    assert.equal(text(await store.get(key)), "2");
    await eventually(async () => text(await replica.get(key)) === "2");
    await replica.delete(key);
    await eventually(async () => (await store.get(key)) === undefined);
  });

  it("forgets a value after its time to live", async () => {
    const { store, advance } = subject();
    const [short, long] = [unique(), unique()];
    await store.set(short, bytes("x"), { ttlSeconds: 0.2 });
    await store.set(long, bytes("y"), { ttlSeconds: 600 });
    assert.equal(text(await store.get(short)), "x");
    await advance(0.3);
    await eventually(async () => (await store.get(short)) === undefined);
    assert.equal(text(await store.get(long)), "y");
  });

  it("sets only what is absent, or only what is present", async () => {
    const { store } = subject();
    const key = unique();
    assert.equal(await store.set(key, bytes("1"), { ttlSeconds: 60, only: "present" }), false);
    assert.equal(await store.get(key), undefined);
    assert.equal(await store.set(key, bytes("2"), { ttlSeconds: 60, only: "absent" }), true);
    assert.equal(await store.set(key, bytes("3"), { ttlSeconds: 60, only: "absent" }), false);
    assert.equal(text(await store.get(key)), "2");
    assert.equal(await store.set(key, bytes("4"), { ttlSeconds: 60, only: "present" }), true);
    assert.equal(text(await store.get(key)), "4");
  });
}

function removal(subject: () => KeyValueSubject, unique: () => string): void {
  it("deletes keys and counts those that were there", async () => {
    const { store } = subject();
    const [a, b, c] = [unique(), unique(), unique()];
    await store.set(a, bytes("1"), { ttlSeconds: 60 });
    await store.addMember(b, "m", 60);
    assert.equal(await store.delete(a, b, c), 2);
    assert.equal(await store.get(a), undefined);
    assert.deepEqual(await store.members(b), []);
    assert.equal(await store.delete(), 0);
  });

  it("deletes a value only while it is the one that was meant", async () => {
    const { store, replica } = subject();
    const key = unique();
    assert.equal(await store.deleteIf(key, bytes("1")), false);
    await store.set(key, bytes("1"), { ttlSeconds: 60 });
    await replica.set(key, bytes("2"), { ttlSeconds: 60 });
    assert.equal(await store.deleteIf(key, bytes("1")), false);
    assert.equal(text(await replica.get(key)), "2");
    assert.equal(await store.deleteIf(key, bytes("2")), true);
    assert.equal(await store.get(key), undefined);
  });

  it("lets one of many claims win, again after the time to live", async () => {
    const { store, replica, advance } = subject();
    const key = unique();
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? store : replica).claim(key, 0.2)),
    );
    assert.equal(claims.filter(Boolean).length, 1);
    await advance(0.3);
    assert.equal(await store.claim(key, 60), true);
  });
}

function sets(subject: () => KeyValueSubject, unique: () => string): void {
  it("keeps a set of members, each once", async () => {
    const { store, replica } = subject();
    const key = unique();
    await store.addMember(key, "a", 60);
    await replica.addMember(key, "b", 60);
    await store.addMember(key, "a", 60);
    assert.deepEqual([...(await store.members(key))].sort(), ["a", "b"]);
    await store.removeMember(key, "a");
    await store.removeMember(key, "not there");
    assert.deepEqual(await replica.members(key), ["b"]);
  });

  it("forgets each member after its own time to live", async () => {
    const { store, advance } = subject();
    const key = unique();
    await store.addMember(key, "long", 600);
    await store.addMember(key, "short", 0.2);
    await advance(0.3);
    assert.deepEqual(await store.members(key), ["long"]);
  });
}

function locks(subject: () => KeyValueSubject, unique: () => string): void {
  it("gives a lock to one of many, and to the next after release, with a higher fence", async () => {
    const { store, replica } = subject();
    const key = unique();
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? store : replica).lock(key, { ttlSeconds: 60 })),
    );
    const [first, ...others] = taken.filter((lock) => lock !== undefined);
    assert.ok(first !== undefined);
    assert.equal(others.length, 0);
    await first.release();
    const second = await replica.lock(key, { ttlSeconds: 60 });
    assert.ok(second !== undefined && second.fence > first.fence);
  });

  it("frees a lock after its time to live; the slow holder's release does not free the next holder's", async () => {
    const { store, replica, advance } = subject();
    const key = unique();
    const slow = await store.lock(key, { ttlSeconds: 0.2 });
    await advance(0.3);
    const next = await replica.lock(key, { ttlSeconds: 60 });
    assert.ok(slow !== undefined && next !== undefined && next.fence > slow.fence);
    await slow.release();
    assert.equal(await store.lock(key, { ttlSeconds: 60 }), undefined);
  });

  it("lets a lock live longer while it is held, and tells who has lost it", async () => {
    const { store, replica, advance } = subject();
    const key = unique();
    const lock = await store.lock(key, { ttlSeconds: 0.2 });
    assert.ok(lock !== undefined);
    assert.equal(await lock.extend(60), true);
    await advance(0.3);
    assert.equal(await replica.lock(key, { ttlSeconds: 60 }), undefined);
    await lock.release();
    assert.equal(await lock.extend(60), false);
    const next = await replica.lock(key, { ttlSeconds: 60 });
    assert.ok(next !== undefined);
    assert.equal(await lock.extend(60), false, "the next holder's lock is not the former's to extend");
  });
}

function fences(subject: () => KeyValueSubject, unique: () => string): void {
  it("refuses the write of a holder whose successor has written", async () => {
    const { store, replica } = subject();
    const key = unique();
    const slow = await store.lock(key, { ttlSeconds: 60 });
    await slow?.release();
    const next = await replica.lock(key, { ttlSeconds: 60 });
    assert.ok(slow !== undefined && next !== undefined);
    assert.equal(await replica.setFenced(key, bytes("next"), { ttlSeconds: 60, fence: next.fence }), true);
    assert.equal(await store.setFenced(key, bytes("slow"), { ttlSeconds: 60, fence: slow.fence }), false);
    assert.equal(text(await replica.get(key)), "next");
    assert.equal(await replica.setFenced(key, bytes("again"), { ttlSeconds: 60, fence: next.fence }), true);
    assert.equal(text(await replica.get(key)), "again");
  });

  it("does not bring back a deleted key with a fenced write that wants it present", async () => {
    const { store } = subject();
    const key = unique();
    const lock = await store.lock(key, { ttlSeconds: 60 });
    assert.ok(lock !== undefined);
    await store.set(key, bytes("session"), { ttlSeconds: 60 });
    await store.delete(key);
    assert.equal(
      await store.setFenced(key, bytes("refreshed"), { ttlSeconds: 60, fence: lock.fence, only: "present" }),
      false,
    );
    assert.equal(await store.get(key), undefined);
  });
}

function messages(subject: () => KeyValueSubject, unique: () => string): void {
  it("delivers messages to subscribers of the channel, until they stop", async () => {
    const { store, replica } = subject();
    const [channel, other] = [unique(), unique()];
    const [here, there]: [string[], string[]] = [[], []];
    const stopHere = await store.subscribe(channel, (message) => here.push(message));
    const stopThere = await replica.subscribe(channel, (message) => there.push(message));
    await store.publish(other, "not this");
    await store.publish(channel, "one");
    await eventually(() => here.length > 0 && there.length > 0);
    await stopThere();
    await store.publish(channel, "two");
    await eventually(() => here.length > 1);
    assert.deepEqual(here, ["one", "two"]);
    assert.deepEqual(there, ["one"]);
    await stopHere();
  });
}

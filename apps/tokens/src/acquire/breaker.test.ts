import assert from "node:assert/strict";
import { test } from "node:test";
import { createBreaker } from "./breaker.ts";

function setUp() {
  const clock = { seconds: 1000 };
  const breaker = createBreaker({
    now: () => clock.seconds,
    random: () => 0.5,
    failures: 3,
    pauseSeconds: 2,
    maxPauseSeconds: 5,
  });
  const fail = (times: number): void => {
    for (let n = 0; n < times; n += 1) breaker.failed();
  };
  return { clock, breaker, fail };
}

test("opens after failures in a row only", () => {
  const { breaker, fail } = setUp();
  fail(2);
  breaker.succeeded();
  fail(2);
  assert.ok(breaker.enter());
  fail(1);
  assert.ok(!breaker.enter());
  assert.ok(!breaker.isClosed);
  assert.equal(breaker.retryAfterSeconds(), 2);
});

test("after a pause one probe goes through; its failure doubles the pause up to a bound, its success closes", () => {
  const { clock, breaker, fail } = setUp();
  fail(3);
  for (const pause of [2, 4, 5, 5]) {
    clock.seconds += pause - 0.1;
    assert.ok(!breaker.enter());
    clock.seconds += 0.1;
    assert.ok(breaker.enter());
    assert.ok(!breaker.enter(), "only one");
    breaker.failed();
  }
  clock.seconds += 5;
  assert.ok(breaker.enter());
  breaker.succeeded();
  assert.ok(breaker.enter() && breaker.enter() && breaker.isClosed);
});

test("requests that were under way when it opened do not prolong the pause", () => {
  const { clock, breaker, fail } = setUp();
  fail(3 + 50);
  clock.seconds += 2;
  assert.ok(breaker.enter());
});

test("a probe that hangs does not hide for longer than 2 s that the provider is back", () => {
  const { clock, breaker, fail } = setUp();
  fail(3);
  clock.seconds += 2;
  assert.ok(breaker.enter());
  clock.seconds += 1.9;
  assert.ok(!breaker.enter());
  clock.seconds += 0.1;
  assert.ok(breaker.enter());
  breaker.succeeded();
  breaker.failed();
  assert.ok(breaker.isClosed, "the first probe's late failure is one failure");
});

test("by default: an outage of a minute costs the provider few requests, and is over at most 2.5 s after it has returned", () => {
  for (const random of [() => 0, () => 0.5, () => 0.999]) {
    const clock = { seconds: 1000 };
    const breaker = createBreaker({ now: () => clock.seconds, random });
    let probes = 0;
    for (let n = 0; n < 4; n += 1) breaker.failed();
    const step = (): boolean => {
      clock.seconds += 0.01;
      return breaker.enter();
    };
    for (let n = 0; n < 6000; n += 1) {
      if (!step()) continue;
      probes += 1;
      breaker.failed();
    }
    assert.ok(probes >= 20 && probes <= 45, `${probes} probes`);
    const returned = clock.seconds;
    while (!step());
    assert.ok(clock.seconds - returned <= 2.5);
  }
});

test("by default: a provider that returns at once is asked again within a third of a second", () => {
  const clock = { seconds: 1000 };
  const breaker = createBreaker({ now: () => clock.seconds, random: () => 0.999 });
  for (let n = 0; n < 4; n += 1) breaker.failed();
  assert.ok(!breaker.enter());
  clock.seconds += 0.32;
  assert.ok(breaker.enter());
});

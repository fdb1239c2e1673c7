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

test("a clock that ran ahead and is set right again does not keep it open", () => {
  const { clock, breaker, fail } = setUp();
  clock.seconds += 7200;
  fail(3);
  assert.ok(!breaker.enter());
  clock.seconds -= 7200;
  assert.ok(breaker.enter());
});

test("a probe that never reports back does not keep it open for ever", () => {
  const { clock, breaker, fail } = setUp();
  fail(3);
  clock.seconds += 2;
  assert.ok(breaker.enter());
  clock.seconds += 15;
  assert.ok(breaker.enter());
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSightings } from "./sightings.ts";

const textOf = (index: number): string => `token-${index}.${String(index * 7919).padStart(16, "x")}`;

test("the last texts are all known", () => {
  const sightings = createSightings(100);
  for (let index = 0; index < 1000; index++) {
    sightings.note(textOf(index));
    for (let back = Math.max(0, index - 99); back <= index; back++)
      assert.equal(sightings.has(textOf(back)), true, `${back} after ${index}`);
  }
});

test("few others look known", () => {
  const sightings = createSightings(100);
  for (let index = 0; index < 1000; index++) sightings.note(textOf(index));
  let wrong = 0;
  for (let index = 10_000; index < 20_000; index++) if (sightings.has(textOf(index))) wrong++;
  assert.ok(wrong < 2000, `${wrong} of 10,000`);
});

test("one that is asked for stays, however many come", () => {
  const sightings = createSightings(10);
  sightings.note("asked for again and again");
  for (let index = 0; index < 1000; index++) {
    sightings.note(textOf(index));
    assert.equal(sightings.has("asked for again and again"), true, `after ${index}`);
  }
});

test("those of long ago are forgotten", () => {
  const sightings = createSightings(1000);
  for (let index = 0; index < 1000; index++) sightings.note(textOf(index));
  for (let index = 10_000; index < 13_000; index++) sightings.note(textOf(index));
  let known = 0;
  for (let index = 0; index < 1000; index++) if (sightings.has(textOf(index))) known++;
  assert.ok(known < 250, `${known} of 1,000`);
});

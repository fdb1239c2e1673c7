import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createLru } from "./lru.ts";

test("behaves as a list in which the last used stands last and the first goes first", () => {
  const step = fc.record({
    kind: fc.constantFrom("get", "set", "delete"),
    key: fc.constantFrom("a", "b", "c", "d", "e"),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const lru = createLru<number>(max);
      let model: { key: string; value: number }[] = [];
      for (const [value, { kind, key }] of steps.entries()) {
        const found = model.find((entry) => entry.key === key);
        const others = model.filter((entry) => entry !== found);
        if (kind === "get") {
          assert.equal(lru.get(key), found?.value);
          if (found !== undefined) model = [...others, found];
        } else if (kind === "set") {
          lru.set(key, value);
          model = [...others, { key, value }].slice(-max);
        } else {
          lru.delete(key);
          model = others;
        }
        assert.equal(lru.size, model.length);
      }
    }),
  );
});

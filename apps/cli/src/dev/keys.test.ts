import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CommandError } from "../failure.ts";
import { keepKeys } from "./keys.ts";
import { makePlan } from "./plan.ts";
import { planOnFreePorts } from "./ports.ts";

const folder = await mkdtemp(join(tmpdir(), "portvakt-keys-"));
after(() => rm(folder, { recursive: true, force: true }));

describe("the key file", () => {
  const file = join(folder, "keys.json");
  const wanted = { signing: ["a"], secrets: ["s"] };

  test("is made for its owner alone, and keeps what it has", async () => {
    const first = await keepKeys(file, wanted);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(first.isNew, true);
    assert.equal(Buffer.from(first.secret("s"), "base64").length, 32);

    const second = await keepKeys(file, { signing: ["a", "b"], secrets: ["s", "t"] });
    assert.equal(second.isNew, false);
    assert.deepEqual(second.private("a"), first.private("a"));
    assert.equal(second.secret("s"), first.secret("s"));
    assert.notEqual(second.private("b").kid, second.private("a").kid);
  });

  test("gives the public half without a private member", async () => {
    const { public: publicOf } = await keepKeys(file, wanted);
    assert.deepEqual(
      Object.keys(publicOf("a")).filter((name) => ["d", "p", "q", "dp", "dq", "qi"].includes(name)),
      [],
    );
  });

  test("that somebody else wrote is refused with a hint", async () => {
    const other = join(folder, "other.json");
    await writeFile(other, "not JSON");
    await assert.rejects(keepKeys(other, wanted), (error) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.message, /other\.json is not the key file that portvakt wrote/);
      assert.deepEqual(error.hints, ["remove it, and new keys are made"]);
      return true;
    });
  });
});

describe("ports", () => {
  test("a taken one is named, with what was meant for it", async () => {
    // One of a range that is free as a whole, so that no other process's port is found first.
    const { ports } = await planOnFreePorts((base) => makePlan([], base), 0);
    const taken = createServer().listen({ port: ports.tokenx, host: "127.0.0.1" }).unref();
    await once(taken, "listening");
    await assert.rejects(
      planOnFreePorts((base) => makePlan([], base), ports.tokenx - 4),
      { message: `port ${ports.tokenx}, meant for TokenX, is taken by another process` },
    );
    taken.close();
  });

  test("0 finds a range that is free as a whole", async () => {
    const { ports } = await planOnFreePorts((base) => makePlan([], base), 0);
    assert.ok(
      ports.idporten >= 10_000 && ports.control < 32_768,
      "below the ports that outgoing connections take",
    );
  });

  test("0 finds every one of many that look at once a range of its own", async () => {
    const plans = await Promise.all(
      Array.from({ length: 20 }, () => planOnFreePorts((base) => makePlan([], base), 0)),
    );
    assert.equal(new Set(plans.map(({ base }) => base)).size, plans.length);
  });
});

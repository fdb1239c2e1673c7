import assert from "node:assert/strict";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gone, isAlive, newFolder, output, said, start } from "./harness.ts";

interface Report {
  readonly journeys: readonly { id: string; name: string; ok: boolean; ms: number }[];
}

describe("the whole platform", { timeout: 180_000 }, () => {
  test("runs the seven journeys, outlives the death of a server, and leaves no process", async () => {
    const folder = await newFolder();
    const { dev, state } = await start(folder);
    assert.equal((await stat(join(folder, ".portvakt", "keys.json"))).mode & 0o777, 0o600);

    const tour = await output(["tour", "--json"], folder);
    assert.equal(tour.code, 0, tour.err);
    const { journeys } = JSON.parse(tour.out) as Report;
    assert.deepEqual(
      journeys.map(({ id, ok }) => ({ id, ok })),
      ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "4"].map((id) => ({ id, ok: true })),
    );
    for (const journey of journeys) assert.deepEqual(Object.keys(journey), ["id", "name", "ok", "ms"]);

    const second = await output(["dev", "--demo"], folder);
    assert.equal(second.code, 3);
    assert.match(second.err, /a platform is already running here, as process \d+/);

    const back = said(dev, "stderr", "TokenX: it is back");
    const named = said(dev, "stderr", "TokenX ended unexpectedly (SIGKILL); starting it again in 0.25 s");
    process.kill(state.processes["tokenx"] ?? 0, "SIGKILL");
    await named;
    const broken = await output(["tour", "--only", "2.1"], folder);
    if (broken.code !== 0) {
      assert.equal(broken.code, 1);
      assert.match(broken.out, /FAIL {2}2\.1[\s\S]*tokenx/i);
    }
    await back;
    const again = await output(["tour", "--json"], folder);
    assert.equal(again.code, 0, again.err);

    dev.kill("SIGTERM");
    const [code] = (await once(dev, "exit")) as [number | null];
    assert.equal(code, 0);
    assert.deepEqual(
      Object.entries(state.processes).filter(([, pid]) => isAlive(pid)),
      [],
    );
    await assert.rejects(stat(join(folder, ".portvakt", "dev.json")));
  });

  test("ends when the supervisor is killed, and the next start is a clean one", async () => {
    const folder = await newFolder();
    const { dev, state } = await start(folder);
    dev.kill("SIGKILL");
    await Promise.all(Object.values(state.processes).map(gone));
    const next = await start(folder);
    next.dev.kill("SIGTERM");
    assert.deepEqual(await once(next.dev, "exit"), [0, null]);
  });
});

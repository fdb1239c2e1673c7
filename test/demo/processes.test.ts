// The platform's processes: what the tour says, what happens when one of them dies, and that none outlives the command.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { portvakt, startDemo } from "./platform.ts";
import type { Demo, Ran } from "./platform.ts";
import { family, memberOf, remaining } from "./processes.ts";
import { everythingTold, neverToTell, serversOf } from "./told.ts";

const journeys = ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "4"];

interface Report {
  readonly journeys: readonly { readonly id: string; readonly ok: boolean; readonly ms: number }[];
}

function assertAllWell(ran: Ran): void {
  const report = JSON.parse(ran.stdout) as Report;
  const told = report.journeys.map(({ id, ok }) => `${id} ${ok ? "ok" : "failed"}`);
  assert.deepEqual(
    told,
    journeys.map((id) => `${id} ok`),
    ran.stderr,
  );
  assert.equal(ran.code, 0);
}

/** Circuit breakers look at a server that was down once in a while only: the first tour may come a moment too early. */
async function wellWithin(tour: () => Promise<Ran>, seconds: number): Promise<Ran> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const ran = await tour();
    if (ran.code === 0 || performance.now() > until) return ran;
  }
}

/** "ready", or what /readyz says is not; providers' keys may still be on their way right after the start. */
async function readyWithin(status: string, seconds: number): Promise<string> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const response = await fetch(`${status}/readyz`);
    const said = await response.text();
    if (response.status === 200) return "ready";
    if (performance.now() > until) return said;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

describe("a running platform", () => {
  let demo: Demo;
  const tour = async (): Promise<Ran> => portvakt("tour", "--json", "--state", demo.folder);

  before(async () => {
    demo = await startDemo();
  });
  after(async () => {
    const pids = (await family(demo.process.pid!)).map((row) => row.pid);
    assert.ok(pids.length > 10, "the platform is many processes");
    assert.equal(await demo.interrupt(), 0);
    assert.deepEqual(await remaining(pids, 10), [], "Ctrl-C leaves no process");
  });

  test("the tour goes through all seven journeys", async () => assertAllWell(await tour()));

  test("every server says that it is alive and ready, and has metrics", async () => {
    const servers = await serversOf(demo);
    assert.ok(servers.length >= 10, servers.map(({ name }) => name).join(" "));
    for (const { name, status } of servers) {
      assert.equal((await fetch(`${status}/healthz`)).status, 200, name);
      assert.equal(await readyWithin(status, 15), "ready", name);
      assert.match(await (await fetch(`${status}/metrics`)).text(), /^# HELP /mu, name);
    }
  });

  test("after a tour, no log, no metric and no line on the terminal holds a token, a key, a code or a person's number", async () => {
    const told = await everythingTold(demo);
    assert.ok(Object.keys(told).length > 20);
    for (const { what, pattern } of await neverToTell(demo)) {
      for (const [where, text] of Object.entries(told)) {
        assert.doesNotMatch(text, pattern, `${where} holds ${what}`);
      }
    }
  });

  const servers: readonly [name: string, command: RegExp, sentence: RegExp][] = [
    ["TokenX", /portvakt\.js tokenx/u, /^tokenx\b.* ended unexpectedly/mu],
    ["the stand-ins", /portvakt\.js standins/u, /^standins\b.* ended unexpectedly/mu],
    ["a login proxy", /portvakt\.js sidecar/u, /^\w+-sidecar\b.* ended unexpectedly/mu],
    ["an application", /income-register\/src\/main\.ts/u, /^income-register\b.* ended unexpectedly/mu],
  ];
  for (const [name, command, sentence] of servers) {
    test(`kill -9 of ${name}: it is named in a sentence and started again, and the next tour goes well`, async () => {
      const seen = demo.printed().length;
      process.kill(await memberOf(demo.process.pid!, command), "SIGKILL");
      await demo.prints(sentence, seen);
      const during = await tour();
      assert.ok(during.code === 0 || during.code === 1, `exit code ${during.code}: ${during.stderr}`);
      if (during.code === 1) assert.match(during.stderr, /FAIL/u);
      assert.doesNotMatch(during.stderr, /\n\s+at .*\.ts:\d+/u, "no stack trace");
      await demo.prints(/is back/u, seen);
      assertAllWell(await wellWithin(tour, 10));
    });
  }
});

test("a tour without a running platform brings its own, and takes it away", async () => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-tour-"));
  assertAllWell(await portvakt("tour", "--json", "--state", folder));
  await rm(folder, { recursive: true, force: true });
});

import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { browse, jsonLine, openWay, printed, runAll, send, startTraffic, tally, until } from "./index.ts";

async function serving(handler: http.RequestListener, use: (port: number) => Promise<void>): Promise<void> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("findings", () => {
  test("a run fails by what must not be and by what throws, and the others still run", async () => {
    const outcomes = await runAll([
      { name: "lost", run: async (notes) => notes.must(false, "two requests were lost") },
      { name: "thrown", run: () => Promise.reject(new Error("no store")) },
      {
        name: "fine",
        run: async (notes) => {
          notes.must(true, "never");
          notes.saw("before", "200 ×3");
          notes.figure("lost", 0);
        },
      },
    ]);
    assert.deepEqual(
      outcomes.map(({ ok, problems }) => [ok, ...problems]),
      [[false, "two requests were lost"], [false, "no store"], [true]],
    );
    const line = JSON.parse(jsonLine("chaos", "login", outcomes)) as { ok: boolean; scenarios: unknown[] };
    assert.equal(line.ok, false);
    assert.deepEqual(line.scenarios[2], { scenario: "fine", ok: true, lost: 0 });
    assert.match(printed(outcomes), /^WRONG {2}lost\n {7}! two requests were lost$/m);
  });

  test("tallies, most frequent first; no answer has its own word", () => {
    assert.equal(tally([200, 0, 200, 503, 200, 503]), "200 ×3, 503 ×2, no answer ×1");
  });

  test("what does not come to hold fails", async () => {
    await assert.rejects(
      until("the moon", () => false, 0.05),
      /the moon: not within 0.05 s/,
    );
  });
});

describe("traffic", () => {
  test("what is answered in another phase than it was asked in belongs to both", async () => {
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let asked = 0;
    const ask = (): Promise<string> => answers[Math.min(asked++, 1)]?.promise ?? Promise.resolve("");
    const traffic = startTraffic([{ kind: "user", ask }], "before", 0);
    traffic.phase("away");
    answers[0]?.resolve("200");
    await until("the second is asked", () => asked > 1);
    const stopped = traffic.stop();
    answers[1]?.resolve("503");
    await stopped;
    assert.deepEqual(traffic.seen("before -> away", "user"), ["200"]);
    assert.deepEqual(traffic.seen("away", "user"), ["503"]);
  });
});

describe("way", () => {
  test("delays answers, resets what is open, refuses while it is cut, and works again when it is mended", async () => {
    await serving(
      (request, response) => void (request.url === "/open" ? response.write("x") : response.end("hello")),
      async (port) => {
        await using way = await openWay(() => port);
        const ask = async (path = "/"): Promise<number> =>
          (await send({ port: way.port, path, timeoutSeconds: 5 })).status;
        assert.equal(await ask(), 200);
        way.delayMs = 80;
        assert.ok((await send({ port: way.port, path: "/" })).seconds >= 0.08);
        way.delayMs = 0;
        const open = ask("/open");
        await delay(50);
        await way.cut();
        assert.equal(await open, 0, "reset");
        assert.equal(await ask(), 0, "refused");
        await way.mend();
        assert.equal(await ask(), 200);
      },
    );
  });
});

describe("browse", () => {
  test("follows redirects with a jar per host, and stops where it is told to", async () => {
    await serving(
      (request, response) => {
        if (request.url === "/start")
          response.writeHead(302, { location: "/next", "set-cookie": "a=1; Path=/" }).end();
        else if (request.url === "/next")
          response
            .writeHead(302, { location: `https://app.example/?c=${request.headers.cookie ?? ""}` })
            .end();
        else response.end();
      },
      async (port) => {
        const start = new URL(`http://localhost:${port}/start`);
        const { location, cookie } = await browse(start, () => port, "https://app.example/");
        assert.equal(location?.href, "https://app.example/?c=a=1");
        assert.equal(cookie, "a=1");
      },
    );
  });
});

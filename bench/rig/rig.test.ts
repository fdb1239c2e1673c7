import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { load, requestText } from "./load.ts";
import { findProgram } from "./processes.ts";
import { compare, jsonLine, median, quantile, table } from "./report.ts";

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

describe("load", () => {
  it("sends every request once, in turn, whatever framing the answers have", async () => {
    const bodies: string[] = [];
    const handler: http.RequestListener = (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        bodies.push(body);
        if (bodies.length % 3 === 0) response.writeHead(204).end();
        else if (bodies.length % 3 === 1) response.end("x".repeat(70_000)); // Content-Length
        else response.write("part", () => response.end("rest")); // chunked
      });
    };
    await serving(handler, async (port) => {
      const requests = Array.from({ length: 60 }, (_, i) => requestText("/", {}, `body ${i}`));
      const { latencies, seconds } = await load({ port, connections: 4, requests, count: 60 });
      assert.equal(latencies.length, 60);
      assert.ok(seconds > 0);
      assert.deepEqual(new Set(bodies).size, 60);
    });
  });

  it("fails on an answer that is no success: a refusal is quick, and counts for nothing", async () => {
    await serving(
      (_, response) => response.writeHead(401).end("no"),
      async (port) => {
        await assert.rejects(
          load({ port, connections: 2, requests: [requestText("/", {})], count: 10 }),
          /answered 401/,
        );
      },
    );
  });
});

describe("load at a rate", () => {
  it("sends requests when they are due, and not before", async () => {
    await serving(
      (_, response) => response.end("ok"),
      async (port) => {
        const requests = [requestText("/", {})];
        const { seconds, latencies } = await load({ port, connections: 4, requests, count: 21, rate: 200 });
        assert.equal(latencies.length, 21);
        assert.ok(seconds >= 0.09, `21 requests at 200/s took ${seconds} s`);
      },
    );
  });

  it("counts from when a request was due where every connection was busy: a stall is seen by all who wait", async () => {
    const waiting: http.ServerResponse[] = [];
    await serving(
      (_, response) => {
        waiting.push(response);
        if (waiting.length === 1) setTimeout(() => response.end("late"), 200);
        else response.end("ok");
      },
      async (port) => {
        const requests = [requestText("/", {})];
        const { latencies } = await load({ port, connections: 1, requests, count: 10, rate: 100 });
        assert.ok(latencies.filter((latency) => latency > 50).length >= 8, latencies.join(" "));
      },
    );
  });

  it("counts refusals where they are what is measured", async () => {
    await serving(
      (_, response) => response.writeHead(429).end("no"),
      async (port) => {
        const requests = [requestText("/", {})];
        const { latencies } = await load({ port, connections: 2, requests, count: 10, anyStatus: true });
        assert.equal(latencies.length, 10);
      },
    );
  });
});

describe("findProgram", () => {
  it("gives a program's path, and undefined for one that is not installed", () => {
    assert.match(findProgram("sh") ?? "", /\/sh$/);
    assert.equal(findProgram("portvakt-no-such-program"), undefined);
  });
});

describe("report", () => {
  it("takes medians and quantiles", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(quantile([5, 1, 4, 2, 3], 0.5), 3);
    assert.equal(quantile([1, 2], 0.99), 2);
  });

  it("writes the headline as one line of JSON, the others in it, and a table", () => {
    const first = compare("tokens", 50, { name: "bare", value: 100 }, 0.6, "requests per CPU second");
    const second = compare("tokens, new", 99, { name: "bare", value: 100 }, 0.6, "requests per CPU second");
    const measured = [{ name: "ours", perCpuSecond: 50, perSecond: 40, p50: 1, p99: 2 }];
    const report = { title: "t", measured, notes: ["a note"], results: [first, second] } as const;
    assert.deepEqual(JSON.parse(jsonLine(report)), {
      bench: "tokens",
      ours: 50,
      beside: { name: "bare", value: 100 },
      unit: "requests per CPU second",
      ratio: 0.5,
      target: 0.6,
      ok: false,
      also: [second],
    });
    const figures = [{ name: "start", ours: 1.234, beside: 2, unit: "ms" }];
    assert.deepEqual(JSON.parse(jsonLine({ ...report, figures })).figures, [
      { name: "start", ours: 1.23, beside: 2, unit: "ms" },
    ]);
    assert.match(table({ ...report, figures }), /^start +1\.2 ms +2\.0 ms$/m);
    assert.match(table(report), /tokens +50 +100 \(bare\) +0\.5 +>= 0\.6 +MISSED/);
    assert.match(table(report), /^ours +50 +20000 +40 +1\.00 +2\.00$/m);
  });
});

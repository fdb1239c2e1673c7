import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { serve } from "../http/index.ts";
import type { HttpServer } from "../http/index.ts";
import {
  createLogger,
  createMetrics,
  nameRequest,
  noteOnRequest,
  traced,
  tracedFetch,
  tracing,
} from "./index.ts";
import type { SpanKind } from "./index.ts";
import { otlpReceiver } from "./otlp-receiver.ts";
import type { OtlpReceiver, ReceivedSpan } from "./otlp-receiver.ts";
import { startTraces } from "./trace-sdk.ts";

const secret = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzb21lb25lIn0.c2lnbmF0dXJl";
const kinds = {
  work: { name: "do work", help: "h", attributes: ["provider", "outcome"] },
} as const satisfies Record<string, SpanKind>;
const [trace, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
const traceparent = `00-${trace}-${parent}-01`;
const address = { host: "127.0.0.1", port: 0 };

describe("without traces", () => {
  it("nothing is wrapped, and the work is done all the same", async () => {
    assert.equal(tracing(), undefined);
    assert.equal(tracedFetch(fetch), fetch);
    assert.equal(
      traced(kinds.work, (span) => (span.note({ outcome: "ok" }), 7)),
      7,
    );
    noteOnRequest({ error: "x" });
  });
});

describe("traces", { timeout: 30_000 }, () => {
  let receiver: OtlpReceiver;
  let server: HttpServer;
  const lines: string[] = [];
  let traces: ReturnType<typeof startTraces>;
  const routes = ["/clients/:id", "/fail", "/out", "/work", "/refuse"];

  before(async () => {
    receiver = await otlpReceiver();
    const log = createLogger({
      name: "t",
      traces: true,
      destination: { write: (line) => void lines.push(line) },
    });
    traces = startTraces({
      ...{ name: "portvakt-test", url: `${receiver.url}/v1/traces`, log, metrics: createMetrics() },
      ...{ sampler: "parentbased_always_on", ratio: 1, resourceAttributes: "service.namespace=demo" },
    });
    const echo = await serve({
      listener: (request, response) => response.end(request.headers["traceparent"]),
      ...{ address, log, traces: { routes: ["/echo"] } },
    });
    const send = tracedFetch(fetch);
    const pages: Readonly<Record<string, () => Promise<Response> | Response>> = {
      "/fail": () => {
        throw new Error(secret);
      },
      "/out": async () => new Response(await (await send(`${echo.url}/echo?code=${secret}`)).text()),
      "/work": () =>
        traced(kinds.work, async (span) => {
          span.note({ provider: `entra ${secret} 12345678901` });
          log.info("working");
          await Promise.reject(Object.assign(new Error(secret), { code: "unreachable" }));
          return new Response();
        }).catch(() => new Response()),
      "/refuse": () => {
        nameRequest("POST", "/refuse/:why");
        noteOnRequest({ error: "invalid_grant" });
        return new Response("", { status: 400 });
      },
    };
    const routed = await serve({
      fetch: async (request) => {
        const { pathname } = new URL(request.url);
        await request.text();
        return await (pages[pathname] ?? (() => new Response("ok")))();
      },
      address,
      log,
      traces: { routes, silent: ["/probe"], trusts: (peer) => peer === "127.0.0.1" && trusting },
    });
    server = {
      ...routed,
      close: async (options) => void (await Promise.all([routed.close(options), echo.close(options)])),
    };
  });
  let trusting = true;
  after(async () => {
    await server.close({ graceSeconds: 0 });
    await receiver.close();
  });

  const ask = (path: string, headers: Record<string, string> = {}, method = "POST"): Promise<Response> =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${secret}`, cookie: `s=${secret}`, ...headers },
      ...(method === "POST" ? { body: "x" } : {}),
    });
  const named = (name: string): ReceivedSpan =>
    receiver.spans.find((span) => span.name === name) ??
    assert.fail(`${name} among ${receiver.spans.map((span) => span.name).join(", ")}`);

  it("are sent when the process ends, with everything in them that was done", async () => {
    assert.equal(
      await (await ask("/clients/12345678901?pid=12345678901", { traceparent, tracestate: "a=b" })).text(),
      "ok",
    );
    const passed = await (await ask("/out")).text();
    await ask("/work");
    await ask("/fail");
    await ask("/refuse");
    await ask("/probe");
    await ask("/elsewhere/12345678901", { traceparent: `${traceparent}, ${traceparent}` }, "GET");
    trusting = false;
    await ask("/clients/1", { traceparent });
    trusting = true;
    await fetch(`${server.url}/clients/1`, { method: "PROPFIND" });
    await server.close({ graceSeconds: 0 });
    await traces.close();
    assert.equal(tracing(), undefined);

    const first = named("POST /clients/:id");
    assert.deepEqual(
      [first.traceId, first.parentId, first.kind, first.service],
      [trace, parent, "server", "portvakt-test"],
    );
    assert.deepEqual(first.attributes, {
      "http.request.method": "POST", "url.scheme": "http", "network.protocol.version": "1.1", "http.route": "/clients/:id", "http.response.status_code": 200,
    }); // prettier-ignore
    const [out, call, echo] = [
      named("POST /out"),
      named("GET /echo"),
      receiver.spans.find(({ name, kind }) => name === "GET /echo" && kind === "server"),
    ];
    const client = receiver.spans.find(({ name, kind }) => name === "GET /echo" && kind === "client") ?? call;
    assert.deepEqual([out.parentId, client.parentId, echo?.parentId], ["", out.spanId, client.spanId]);
    assert.equal(new Set([out, client, echo].map((span) => span?.traceId)).size, 1);
    assert.equal(passed, `00-${out.traceId}-${client.spanId}-01`);
    const { port } = new URL(server.url);
    assert.notEqual(client.attributes["server.port"], Number(port));
  });

  it("end with the code of an error, and with nothing of its message", () => {
    const work = named("do work");
    assert.deepEqual([work.parentId, work.failed], [named("POST /work").spanId, true]);
    assert.deepEqual(work.attributes, {
      "portvakt.provider": "entra [jwt] [person]",
      "error.type": "unreachable",
    });
    const failed = named("POST /fail");
    assert.deepEqual([failed.failed, failed.attributes["error.type"]], [true, "500"]);
    const refused = named("POST /refuse/:why");
    assert.deepEqual(
      [refused.failed, refused.attributes["portvakt.error"], refused.attributes["error.type"]],
      [false, "invalid_grant", undefined],
    );
  });

  it("Trace Context section 4.2: a traceparent that is there twice is none", () =>
    assert.equal(named("GET").parentId, ""));

  it("begin anew, with a link, when the peer is not trusted", () => {
    const anew = receiver.spans.filter(({ name }) => name === "POST /clients/:id")[1];
    assert.deepEqual([anew?.parentId, anew?.links], ["", [trace]]);
    assert.notEqual(anew?.traceId, trace);
  });

  it("name an unknown method HTTP, and leave probes out", () => {
    assert.equal(named("HTTP /clients/:id").attributes["http.request.method"], "_OTHER");
    assert.ok(receiver.spans.every(({ attributes }) => !Object.values(attributes).includes("/probe")));
    assert.equal(receiver.spans.length, 11);
  });

  it("hold no token, cookie, query, path or person, in any byte that is sent", () => {
    const sent = receiver.text();
    for (const word of [
      "eyJ",
      "c2lnbmF0",
      "cookie",
      "authorization",
      "Bearer",
      "12345678901",
      "pid=",
      "elsewhere",
      "PROPFIND",
    ])
      assert.ok(!sent.includes(word), word);
  });

  it("are named in the log lines that are written in them", () => {
    const line = JSON.parse(lines.find((one) => one.includes("working")) ?? "{}") as Record<string, string>;
    const work = named("do work");
    assert.deepEqual([line["trace_id"], line["span_id"]], [work.traceId, work.spanId]);
  });
});

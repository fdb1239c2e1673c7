import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createLogger, createMetrics } from "../observe/index.ts";
import { HttpProblem, problem, readBody, serve, serveStatus } from "./index.ts";
import type { FetchHandler, HttpServer, Readiness } from "./index.ts";

const address = { host: "127.0.0.1", port: 0 };
const lines: string[] = [];
const log = createLogger({ name: "test", destination: { write: (line) => void lines.push(line) } });

/** Sends raw bytes, and gives all that comes back until the connection closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data.toString("latin1")));
  socket.on("error", () => {});
  socket.write(text);
  await new Promise((resolve) => socket.on("close", resolve)); // a reset is an end too
  return answer;
}

describe("serve", () => {
  const metrics = createMetrics();
  let server: HttpServer;
  const routes: Readonly<Record<string, FetchHandler>> = {
    "/": () => new Response("hello"),
    "/throw": () => {
      throw new Error("a token: hunter2");
    },
    "/reject": async () => {
      await Promise.resolve();
      throw new Error("a token: hunter2", { cause: "hunter2" });
    },
    "/problem": () => {
      throw new HttpProblem(409, { title: "Conflict", detail: "Twice.", hint: "once" });
    },
    "/body": async (request) => new Response(await readBody(request, 1000)),
    "/null": () => undefined as unknown as Response,
  };
  before(async () => {
    const fetch: FetchHandler = (request) =>
      (routes[new URL(request.url).pathname] ?? (() => new Response(null, { status: 404 })))(request);
    server = await serve({ fetch, address, log, metrics });
  });
  after(() => server.close({ graceSeconds: 0 }));

  it("answers, on a port of its own", async () => {
    assert.equal(await (await fetch(server.url)).text(), "hello");
    assert.equal(new URL(server.url).port, String(server.port));
  });

  for (const path of ["/throw", "/reject"]) {
    it(`answers 500 with a correlation id and nothing of the thrown value: ${path}`, async () => {
      lines.length = 0;
      const response = await fetch(server.url + path, { headers: { "x-request-id": "abc" } });
      const text = await response.text();
      assert.equal(response.status, 500);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      assert.deepEqual(JSON.parse(text), {
        title: "Internal error",
        detail: "The request could not be served.",
        correlation_id: "abc",
        status: 500,
      });
      const line = JSON.parse(lines.join("")) as { correlation_id: string; err: { message: string } };
      assert.equal(line.correlation_id, "abc");
      assert.match(line.err.message, /^a token/);
    });
  }

  it("answers a problem that the handler means", async () => {
    const response = await fetch(`${server.url}/problem`);
    assert.equal(response.status, 409);
    assert.deepEqual(await response.json(), {
      title: "Conflict",
      detail: "Twice.",
      hint: "once",
      status: 409,
    });
    assert.equal(response.headers.get("cache-control"), "no-store");
  });

  it("survives a handler that answers nothing", async () => {
    await fetch(`${server.url}/null`).catch(() => undefined);
    assert.equal((await fetch(server.url)).status, 200);
  });

  const host = "Host: x\r\n";
  const refused: readonly { name: string; text: string; status: number }[] = [
    { name: "headers above 64 KB", text: `GET / HTTP/1.1\r\n${host}X: ${"a".repeat(66_000)}\r\n\r\n`, status: 431 },
    { name: "RFC 9112 section 6.1: Transfer-Encoding with Content-Length", text: `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, status: 400 },
    { name: "RFC 9112 section 6.3: two different Content-Lengths", text: `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, status: 400 },
    { name: "RFC 9112 section 5.1: space before the colon", text: `GET / HTTP/1.1\r\n${host}X : a\r\n\r\n`, status: 400 },
    { name: "RFC 9112 section 2.2: a bare LF between headers", text: "GET / HTTP/1.1\r\nHost: x\nX: a\r\n\r\n", status: 400 },
    { name: "RFC 9112 section 3.2: no Host", text: "GET / HTTP/1.1\r\n\r\n", status: 400 },
    { name: "a line of nonsense", text: "hello\r\n\r\n", status: 400 },
  ]; // prettier-ignore
  for (const { name, text, status } of refused) {
    it(`refuses ${name} with ${status} and closes; the answer and the log have one correlation id`, async () => {
      lines.length = 0;
      const [head, body] = (await raw(server.port, text)).split("\r\n\r\n");
      assert.match(head ?? "", new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(head ?? "", /\r\nContent-Type: application\/problem\+json\r\n/i);
      const answer = JSON.parse(body ?? "") as Record<string, unknown>;
      const line = JSON.parse(lines.join("")) as Record<string, unknown>;
      assert.deepEqual([answer["status"], line["status"]], [status, status]);
      assert.match(String(answer["correlation_id"]), /^[0-9a-f-]{36}$/);
      assert.equal(line["correlation_id"], answer["correlation_id"]);
      assert.match(
        await metrics.render(),
        new RegExp(`portvakt_http_refused_total\\{status="${status}"\\} \\d`),
      );
    });
  }

  it("adds nothing to an answer that has begun, whatever comes after its request", async () => {
    const begun = await serve({
      listener: (_request, response) =>
        void response.writeHead(200, { "content-length": 100 }).write("begun"),
      address,
      log,
    });
    const socket = net.connect(begun.port, "127.0.0.1");
    let answer = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      socket.write("hello\r\n\r\n");
    });
    socket.write(`GET / HTTP/1.1\r\n${host}\r\n`);
    await once(socket, "close");
    await begun.close({ graceSeconds: 0 });
    assert.match(answer, /\r\n\r\nbegun$/);
  });

  it("says nothing to a connection that was opened in advance and never used, and does not log it", async () => {
    const waiting = await serve({ fetch: () => new Response(), address, log, headerTimeoutSeconds: 0.1 });
    lines.length = 0;
    assert.equal(await raw(waiting.port, ""), "");
    assert.deepEqual(lines, []);
    await waiting.close();
  });

  it("takes headers of 60 KB: sessions and tokens fit", async () => {
    assert.equal((await fetch(server.url, { headers: { cookie: "a".repeat(60_000) } })).status, 200);
  });

  it("rejects when the address is taken", async () => {
    await assert.rejects(
      serve({ fetch: () => new Response(), address: { host: "127.0.0.1", port: server.port }, log }),
      /EADDRINUSE/,
    );
  });

  const bodies: readonly { name: string; body: () => BodyInit; status: number }[] = [
    { name: "a body of a declared length", body: () => "x".repeat(1000), status: 200 },
    { name: "a body of a declared length, too large", body: () => "x".repeat(1001), status: 413 },
    { name: "a body in chunks", body: () => new Blob(["æ".repeat(500)]).stream(), status: 200 },
    { name: "a body in chunks, too large", body: () => new Blob(["x".repeat(1001)]).stream(), status: 413 },
  ];
  for (const { name, body, status } of bodies) {
    it(`reads ${name}: ${status}`, async () => {
      const sent = body();
      const response = await fetch(`${server.url}/body`, {
        method: "POST",
        body: sent,
        duplex: "half",
      } as RequestInit);
      assert.equal(response.status, status);
      const text = await response.text();
      if (status === 200) assert.match(text, /^(x{1000}|æ{500})$/);
    });
  }

  it("stops reading a body without end", async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(++sent > 0 ? 65_536 : 0)),
    });
    const response = await fetch(`${server.url}/body`, {
      method: "POST",
      body: endless,
      duplex: "half",
    } as RequestInit).catch(() => undefined);
    assert.ok(response === undefined || response.status === 413);
    assert.ok(sent < 1000, "the sender was stopped");
  });
});

describe("serve with short times", () => {
  it("refuses a request whose headers do not come to an end in time with 408", async () => {
    const server = await serve({ fetch: () => new Response(), address, log, headerTimeoutSeconds: 0.1 });
    assert.match(await raw(server.port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "), /^HTTP\/1\.1 408 /);
    await server.close();
  });

  it("refuses a request whose body does not come to an end in time, and does not wait for it when closing", async () => {
    const waiting: FetchHandler = async (request) => new Response(await readBody(request, 100));
    const server = await serve({
      fetch: waiting,
      address,
      log,
      headerTimeoutSeconds: 0.1,
      requestTimeoutSeconds: 0.1,
    });
    const answer = await raw(server.port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    assert.match(answer, /^HTTP\/1\.1 408 |^$/);
    await server.close();
  });
});

describe("serve on a Unix domain socket", () => {
  it("answers there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "portvakt-http-"));
    const socketPath = join(folder, "s");
    const server = await serve({ fetch: () => new Response("hello"), address: { socketPath }, log });
    assert.deepEqual([server.url, server.port], [`unix:${socketPath}`, 0]);
    const [response] = (await once(http.get({ socketPath, path: "/" }), "response")) as [
      http.IncomingMessage,
    ];
    assert.equal((await response.toArray()).join(""), "hello");
    await server.close();
    await rm(folder, { recursive: true });
  });
});

describe("serve with a node:http listener", () => {
  it("hands over the raw request, and upgrades", async () => {
    const server = await serve({
      listener: (request, response) => response.end(`raw ${request.url}`),
      upgrade: (_request, socket) =>
        socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbye"),
      address,
      log,
    });
    assert.equal(await (await fetch(`${server.url}/a`)).text(), "raw /a");
    assert.match(
      await raw(server.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
      /^HTTP\/1\.1 101 [^]*bye$/,
    );
    await server.close();
  });
});

describe("close", () => {
  const slow = async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const fetch: FetchHandler = async (request) => {
      if (!request.url.endsWith("/slow")) return new Response("fast");
      arrived();
      await held;
      return new Response("done");
    };
    return { server: await serve({ fetch, address, log }), arrival, release };
  };

  it("lets a request in flight finish, though its connection is kept alive, and takes no more", async () => {
    const { server, arrival, release } = await slow();
    const agent = new http.Agent({ keepAlive: true });
    const answer = once(http.get(`${server.url}/slow`, { agent }), "response") as Promise<
      [http.IncomingMessage]
    >;
    const idle = net.connect(server.port, "127.0.0.1");
    await arrival;
    const closed = server.close({ graceSeconds: 30 });
    await assert.rejects(fetch(server.url), "new connections are refused");
    release();
    const [response] = await answer;
    assert.equal((await response.toArray()).join(""), "done");
    await closed;
    idle.destroy();
    agent.destroy();
  });

  it("cuts what has not finished in the grace time, upgraded connections too", async () => {
    const { server, arrival } = await slow();
    const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    server.raw.on("upgrade", (_request, socket) => socket.write(switched));
    const stuck = assert.rejects(fetch(`${server.url}/slow`));
    const upgraded = net.connect(server.port, "127.0.0.1");
    upgraded.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    await Promise.all([arrival, once(upgraded, "data")]);
    const ended = new Promise((resolve) => upgraded.on("error", () => {}).on("close", resolve));
    await server.close({ graceSeconds: 0.05 });
    await Promise.all([stuck, ended]);
  });

  it("may be called twice", async () => {
    const { server } = await slow();
    await Promise.all([server.close(), server.close()]);
  });
});

describe("serveStatus", () => {
  const start = (ready: () => Readiness | Promise<Readiness>): Promise<HttpServer> => {
    const metrics = createMetrics();
    metrics.counter({ name: "things_total", help: "h" }).inc();
    return serveStatus({ address, ready, metrics, log });
  };
  const rows: readonly { name: string; ready: () => Readiness | Promise<Readiness>; path: string; status: number; body: RegExp }[] = [
    { name: "alive", ready: () => ({ ready: false, checks: {} }), path: "/healthz", status: 200, body: /^ok$/m },
    { name: "alive", ready: () => ({ ready: false, checks: {} }), path: "/", status: 200, body: /^ok$/m },
    { name: "ready", ready: () => ({ ready: true, checks: { store: { ok: true } } }), path: "/readyz", status: 200, body: /"store":\{"ok":true\}/ },
    { name: "not ready", ready: async () => ({ ready: false, checks: { store: { ok: false, detail: "down" } } }), path: "/readyz", status: 503, body: /"detail":"down"/ },
    { name: "a check that throws", ready: () => Promise.reject(new Error("hunter2")), path: "/readyz", status: 503, body: /^\{"ready":false,"checks":\{\}\}$/ },
    { name: "metrics", ready: () => ({ ready: true, checks: {} }), path: "/metrics", status: 200, body: /^things_total 1$/m },
    { name: "anything else", ready: () => ({ ready: true, checks: {} }), path: "/constructor", status: 404, body: /not found/ },
  ]; // prettier-ignore
  for (const { name, ready, path, status, body } of rows) {
    it(`${name}: ${path} answers ${status}`, async () => {
      const server = await start(ready);
      const response = await fetch(server.url + path);
      assert.equal(response.status, status);
      assert.match(await response.text(), body);
      assert.equal((await fetch(server.url + path, { method: "POST" })).status, status === 404 ? 404 : 405);
      await server.close({ graceSeconds: 0 });
    });
  }
});

describe("problem", () => {
  it("RFC 9457 section 3: is application/problem+json with its status in the body", async () => {
    const response = problem(
      429,
      { title: "Slow down", type: "https://x.example/slow" },
      { "retry-after": "3" },
    );
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(response.headers.get("retry-after"), "3");
    assert.deepEqual(await response.json(), {
      title: "Slow down",
      type: "https://x.example/slow",
      status: 429,
    });
  });
});

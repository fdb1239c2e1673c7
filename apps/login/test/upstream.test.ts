// The connection to the application, seen from both its ends: an application that speaks raw bytes, and clients of the proxy.
import { describe, test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { forward, type ForwardOptions } from "../src/proxy/forward.ts";
import { upstreamHeaders } from "../src/proxy/headers.ts";
import { Connection, type Receiver } from "../src/upstream/connection.ts";
import { openStage, type Stage } from "./stage.ts";
import { sendRaw } from "./wire.ts";

/** One request that the application received, with the connection that it came on. */
interface Heard {
  readonly text: string;
  readonly socket: net.Socket;
  /** Counted from 1. */
  readonly connection: number;
}

interface RawStage extends Stage {
  /** host:port of the proxy. */
  readonly address: string;
  readonly heard: Heard[];
}

/** A proxy in front of an application that answers with whatever bytes `answer` writes, once for each piece that comes. */
async function rawStage(t: TestContext, answer: (heard: Heard, count: number) => void): Promise<RawStage> {
  const heard: Heard[] = [];
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    const connection = open.size;
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      const one = { text: bytes.toString("latin1"), socket, connection };
      heard.push(one);
      answer(one, heard.length);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const stage = await openStage({ env: { PORTVAKT_LOGIN_UPSTREAM_HOST: `127.0.0.1:${port}` } });
  t.after(async () => {
    await stage.close();
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { ...stage, address: stage.replicas[0]!.address, heard };
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ask = (method = "GET", rest = "\r\n"): string =>
  `${method} / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${rest}`;

describe("connections to the application are kept", () => {
  test("one after the other, requests share a connection", async (t) => {
    const { address, heard } = await rawStage(t, ({ socket }) => socket.write(ok));
    for (let index = 0; index < 3; index++) assert.match(await sendRaw(address, ask()), /ok$/);
    assert.deepEqual(
      heard.map(({ connection }) => connection),
      [1, 1, 1],
    );
  });

  const races = [
    { name: "a GET is sent once more, on a fresh connection", method: "GET", status: 200, requests: 3 },
    { name: "a HEAD too", method: "HEAD", status: 200, requests: 3 },
    { name: "a DELETE is not: it may have been carried out", method: "DELETE", status: 502, requests: 2 },
    { name: "a POST is not", method: "POST", status: 502, requests: 2 },
  ];
  for (const { name, method, status, requests } of races)
    test(`RFC 9110 section 9.2.2: a kept connection closes before a byte of the answer: ${name}`, async (t) => {
      const { address, heard } = await rawStage(t, ({ socket }, count) => {
        if (count === 2) socket.destroy();
        else socket.write(method === "HEAD" && count === 3 ? ok.slice(0, -2) : ok);
      });
      await sendRaw(address, ask());
      assert.match(await sendRaw(address, ask(method)), new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.equal(heard.length, requests);
    });

  test("a new connection that closes is no such race: 502, and nothing is sent twice", async (t) => {
    const { address, heard } = await rawStage(t, ({ socket }) => socket.destroy());
    assert.match(await sendRaw(address, ask()), /^HTTP\/1\.1 502 /);
    assert.equal(heard.length, 1);
  });

  test("an answer that broke off after its first byte is not asked for again", async (t) => {
    const { address, heard } = await rawStage(t, ({ socket }, count) => {
      if (count === 1) socket.write(ok);
      else socket.end("H");
    });
    await sendRaw(address, ask());
    assert.match(await sendRaw(address, ask()), /^HTTP\/1\.1 502 /);
    assert.equal(heard.length, 2);
  });

  test("response splitting: what comes behind an answer is never the answer to another request", async (t) => {
    const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    const { address, heard } = await rawStage(t, ({ socket }, count) =>
      socket.write(count === 1 ? ok + evil : ok),
    );
    assert.match(await sendRaw(address, ask()), /\r\n\r\nok$/);
    assert.match(await sendRaw(address, ask()), /\r\n\r\nok$/);
    assert.deepEqual(
      heard.map(({ connection }) => connection),
      [1, 2],
    );
  });

  test("response splitting: bytes on an idle connection end it", async (t) => {
    const { address, heard } = await rawStage(t, ({ socket }) => socket.write(ok));
    await sendRaw(address, ask());
    const closed = once(heard[0]!.socket, "close");
    heard[0]!.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    await closed;
    assert.match(await sendRaw(address, ask()), /\r\n\r\nok$/);
    assert.deepEqual(
      heard.map(({ connection }) => connection),
      [1, 2],
    );
  });

  test("an answer before the request's body is complete is passed on, and ends the connection", async (t) => {
    const { address, heard } = await rawStage(t, ({ socket, text }) => {
      if (text.startsWith("POST"))
        socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
      else if (text.startsWith("GET")) socket.write(ok);
    });
    const answer = await sendRaw(
      address,
      "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nabc",
      /\r\n\r\n/,
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
    await sendRaw(address, ask());
    assert.equal(heard.at(-1)?.connection, 2);
  });
});

const unreadable = [
  { name: "RFC 9112 section 6.3: two framings", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok" },
  { name: "RFC 9112 section 6.3: two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok" },
  { name: "RFC 9112 section 2.2: a bare line feed", answer: "HTTP/1.1 200 OK\r\nX: 1\nContent-Length: 2\r\n\r\nok" },
  { name: "RFC 9110 section 7.8: 101 unasked", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" },
  { name: "no HTTP at all", answer: "SSH-2.0-OpenSSH_9.9\r\n\r\n" },
]; // prettier-ignore

describe("answers that cannot be believed", () => {
  for (const { name, answer } of unreadable)
    test(`${name}: 502, and the connection is not used again`, async (t) => {
      const { address, heard } = await rawStage(t, ({ socket }, count) =>
        socket.write(count === 1 ? answer : ok),
      );
      assert.match(await sendRaw(address, ask()), /^HTTP\/1\.1 502 /);
      assert.match(await sendRaw(address, ask()), /^HTTP\/1\.1 200 /);
      assert.deepEqual(
        heard.map(({ connection }) => connection),
        [1, 2],
      );
    });

  const cut = [
    { name: "in a body of a known length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart" },
    { name: "between chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n" },
    { name: "in a malformed chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nx\r\n" },
  ]; // prettier-ignore
  for (const { name, answer } of cut)
    test(`RFC 9112 section 8: an answer that breaks off ${name} looks broken to the client`, async (t) => {
      const { address } = await rawStage(t, ({ socket }) => socket.end(answer));
      const [host, port] = address.split(":");
      const outgoing = http.get({ host, port, headers: { host: "app.test" }, agent: false });
      await assert.rejects(
        once(outgoing, "response").then(([incoming]: http.IncomingMessage[]) => incoming?.toArray()),
        /aborted|socket hang up/,
      );
    });
});

describe("requests as they leave", () => {
  const framings = [
    { name: "no body: no framing", sent: ask(), left: /^GET \/ HTTP\/1\.1\r\n(?!.*(content-length|transfer-encoding))[^]*\r\n\r\n$/is },
    { name: "a length: the same", sent: ask("POST", "Content-Length: 3\r\n\r\nabc"), left: /\r\nContent-Length: 3\r\n(?![^]*transfer-encoding)[^]*\r\n\r\nabc$/i },
    { name: "a length of nothing: the same", sent: ask("POST", "Content-Length: 0\r\n\r\n"), left: /\r\nContent-Length: 0\r\n[^]*\r\n\r\n$/i },
    { name: "chunks: chunks, made anew, without extensions", sent: ask("POST", "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n"), left: /\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/i },
  ]; // prettier-ignore
  for (const { name, sent, left } of framings)
    test(`RFC 9112 section 6: ${name}`, async (t) => {
      let all = "";
      const { address } = await rawStage(t, ({ socket, text }) => {
        all += text;
        if (left.test(all)) socket.write(ok);
      });
      assert.match(await sendRaw(address, sent), /ok$/);
      assert.match(all, left);
      assert.equal(
        all.match(/^(content-length|transfer-encoding):/gim)?.length ?? 0,
        sent.includes("GET") ? 0 : 1,
      );
    });

  for (const token of ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\u010db"])
    test(`request splitting: a provider's token ${JSON.stringify(token)} is sent to nobody`, () => {
      const request = { headers: {}, rawHeaders: [], socket: {} } as unknown as http.IncomingMessage;
      const options = {
        accessToken: token,
        idToken: undefined,
        passAuthorization: false,
        trustedPeer: false,
        scheme: "https",
        correlationId: "1",
        isOwnCookie: () => false,
      };
      assert.throws(() => upstreamHeaders(request, options), TypeError);
      assert.throws(
        () => upstreamHeaders(request, { ...options, accessToken: "a", idToken: token }),
        TypeError,
      );
    });

  test("interim answers: 103 is passed on, the others are between the application and us", async (t) => {
    const { address } = await rawStage(t, ({ socket }) =>
      socket.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${ok}`,
      ),
    );
    const answer = await sendRaw(address, ask());
    assert.match(
      answer,
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
  });
});

describe("the application is asked for what somebody still waits for, in turn", () => {
  test("RFC 9112 section 9.3.2: what a connection brings at once is sent on one by one", async (t) => {
    const { address, heard } = await rawStage(t, ({ socket, text }) => {
      if (!text.startsWith("GET /first")) socket.write(ok);
    });
    const both = `GET /first HTTP/1.1\r\nHost: app.test\r\n\r\n${ask().replace("/", "/second")}`;
    const answers = sendRaw(address, both, /ok[^]*ok$/);
    while (heard.length === 0) await turn();
    await sendRaw(address, ask().replace("/", "/of-another"));
    assert.match(heard[1]?.text ?? "", /^GET \/of-another /);
    heard[0]?.socket.write(ok);
    assert.match(await answers, /ok[^]*ok$/);
    assert.match(heard[2]?.text ?? "", /^GET \/second /);
  });

  test("a client that left while it was decided whether it may pass is not asked for", () => {
    const unused = new Proxy({}, { get: () => assert.fail("the application was asked") }) as ForwardOptions;
    forward({ socket: { destroyed: true } } as http.IncomingMessage, { destroyed: true } as never, unused);
  });

  test("RFC 9110 section 7.6.1: what any Connection line of the answer names stays on this hop", async (t) => {
    const lines =
      "Connection: x-one\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nConnection: X-Two, keep-alive\r\n";
    const { address } = await rawStage(t, ({ socket }) => socket.write(ok.replace("\r\n", `\r\n${lines}`)));
    const answer = await sendRaw(address, ask());
    assert.match(answer, /X-Three: 3/);
    assert.doesNotMatch(answer, /x-one|x-two/i);
  });

  test("a declined upgrade that breaks off ends the connection, with nothing of ours in its body", async (t) => {
    const { address } = await rawStage(t, ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\npart", () => socket.resetAndDestroy());
    });
    const upgrade = "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert.doesNotMatch(await sendRaw(address, upgrade), /502/);
  });

  const legal = {
    "a hint with two links":
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload, </b.js>; rel=preload\r\n\r\n",
    "a hint that node does not take": 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; title="a, <b"\r\n\r\n',
  };
  for (const [name, hint] of Object.entries(legal))
    test(`RFC 9110 section 15.2: ${name} costs nobody the answer`, async (t) => {
      const { address } = await rawStage(t, ({ socket }) => socket.write(hint + ok));
      assert.match(await sendRaw(address, ask()), /HTTP\/1\.1 200 OK\r\n[^]*ok$/);
      const older = await sendRaw(address, "GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
      assert.match(older, /^HTTP\/1\.1 200 OK\r\n/, "HTTP/1.0 knows no interim answers");
    });

  test("RFC 9110 section 6.6.2: trailers that are announced and cannot be sent on are no fault", async (t) => {
    const announced = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok";
    const { address } = await rawStage(t, ({ socket }) => socket.write(announced));
    const answer = await sendRaw(address, ask());
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.doesNotMatch(answer, /trailer/i);
  });
});

describe("back-pressure", () => {
  const total = 64 * 1024 * 1024;
  /** What sockets on the way, ours and the system's, may hold. */
  const bound = 24 * 1024 * 1024;

  /** Writes until nobody takes any more, and gives how much that was. */
  async function pour(socket: net.Socket): Promise<number> {
    const piece = Buffer.alloc(65_536, "x");
    let written = 0;
    for (let stuck = 0; written < total && stuck < 200;) {
      if (socket.writableNeedDrain) {
        stuck += 1;
        await turn();
      } else {
        stuck = 0;
        socket.write(piece);
        written += piece.length;
      }
    }
    return written;
  }

  test("a client that does not read holds the application back", async (t) => {
    const poured = Promise.withResolvers<number>();
    const { address } = await rawStage(t, ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      pour(socket).then(poured.resolve, poured.reject);
    });
    const [host, port] = address.split(":");
    const client = net.connect(Number(port), host).pause();
    client.write(ask());
    assert.ok((await poured.promise) < bound);
    client.destroy();
  });

  test("an application that does not read holds the client back", async (t) => {
    const { address } = await rawStage(t, ({ socket }) => socket.pause());
    const [host, port] = address.split(":");
    const client = net.connect(Number(port), host);
    client.on("error", () => undefined);
    client.write(ask("POST", `Content-Length: ${total}\r\n\r\n`));
    assert.ok((await pour(client)) < bound);
    client.destroy();
  });
});

describe("time", () => {
  /** A connection of ours to a server that says nothing of itself. */
  async function pair(
    t: TestContext,
  ): Promise<{ connection: Connection; server: net.Socket; idle: Connection[] }> {
    const listener = net.createServer();
    await once(listener.listen(0, "127.0.0.1"), "listening");
    const client = net.connect((listener.address() as AddressInfo).port, "127.0.0.1");
    const [server] = (await once(listener, "connection")) as [net.Socket];
    const idle: Connection[] = [];
    t.after(() => {
      client.destroy();
      server.destroy();
      listener.close();
    });
    return { connection: new Connection(client, (one) => idle.push(one)), server, idle };
  }
  const receiver = (on: Partial<Receiver>): Receiver => ({
    onHead: () => {},
    onBody: () => true,
    onPause: () => {},
    onEnd: () => {},
    onDrain: () => {},
    onError: () => {},
    ...on,
  });

  test("an answer may take five minutes to begin; then it is given up", async (t) => {
    const { connection } = await pair(t);
    const errors: Error[] = [];
    connection.send(
      "GET",
      "GET / HTTP/1.1\r\n\r\n",
      false,
      receiver({ onError: (error) => errors.push(error) }),
    );
    for (let tick = 0; tick < 600; tick++) connection.tick();
    assert.equal(errors.length, 0);
    connection.tick();
    assert.match(errors[0]?.message ?? "", /did not begin its answer in time/);
    assert.equal(connection.isOpen, false);
  });

  test("an answer that has begun may go on for ever", async (t) => {
    const { connection, server } = await pair(t);
    const begun = Promise.withResolvers<void>();
    connection.send("GET", "GET / HTTP/1.1\r\n\r\n", false, receiver({ onHead: () => begun.resolve() }));
    server.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    await begun.promise;
    for (let tick = 0; tick < 100_000; tick++) connection.tick();
    assert.equal(connection.isOpen, true);
  });

  test("an idle connection is closed before servers close it", async (t) => {
    const { connection, server, idle } = await pair(t);
    const ended = Promise.withResolvers<void>();
    connection.send("GET", "GET / HTTP/1.1\r\n\r\n", false, receiver({ onEnd: () => ended.resolve() }));
    server.write(ok);
    await ended.promise;
    await turn();
    assert.equal(idle.length, 1);
    for (let tick = 0; tick < 3; tick++) connection.tick();
    assert.equal(connection.isOpen, true);
    connection.tick();
    assert.equal(connection.isOpen, false);
  });
});

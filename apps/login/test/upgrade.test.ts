// Requests that ask to switch protocols: which do, what they bring along, and that none gets past a rule.
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import type http from "node:http";
import https from "node:https";
import type net from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { selfSigned } from "./certificate.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { sendRaw } from "./wire.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

const sessionName = "__Host-io.nais.wonderwall.session";
const switched =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

/** Switches, and then says everything it hears aloud. */
function shout(_request: http.IncomingMessage, socket: net.Socket): void {
  socket.on("error", () => undefined);
  socket.write(switched);
  socket.on("data", (chunk) => socket.write(chunk.toString().toUpperCase()));
  socket.on("end", () => socket.end());
}

/** A request for a WebSocket, with `headers` before its own, that says hello as soon as it may. */
const request = (headers = "Host: app.test\r\n", version = "1.1"): string =>
  `GET /ws HTTP/${version}\r\n${headers}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\nhello`;

test("WebSockets pass, with the session's token; an upgrade from another site does not", async (t) => {
  const { signedIn, replicas, upstream, ingress } = await stage(t);
  const cookie = `${sessionName}=${(await signedIn()).cookie(sessionName)}`;
  let seen: http.IncomingHttpHeaders | undefined;
  upstream.server.on("upgrade", (request: http.IncomingMessage, socket: net.Socket) => {
    seen = request.headers;
    shout(request, socket);
  });
  const ask = (origin: string) => request(`Host: app.test\r\nCookie: ${cookie}\r\nOrigin: ${origin}\r\n`);
  const answer = await sendRaw(replicas[0]!.address, ask(ingress), /HELLO/);
  assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*Sec-WebSocket-Accept: x[^]*HELLO$/);
  assert.match(seen?.authorization ?? "", /^Bearer ey/);
  assert.equal(seen?.cookie, undefined);
  assert.match(await sendRaw(replicas[0]!.address, ask("https://evil.example"), /\}$/), /^HTTP\/1\.1 403 /);
});

test("request smuggling by upgrade: h2c is ignored, and an upgrade that the application declines joins nothing", async (t) => {
  const { replicas, upstream } = await stage(t);
  const h2c = await sendRaw(
    replicas[0]!.address,
    "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    /application/,
  );
  assert.match(h2c, /^HTTP\/1\.1 200 /);
  assert.equal(upstream.seen[0]?.headers.upgrade, undefined);
  upstream.server.removeAllListeners("upgrade");
  const declined = await sendRaw(
    replicas[0]!.address,
    "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n",
  );
  assert.match(declined, /^HTTP\/1\.1 200 [^]*connection: close/i);
  assert.ok(!upstream.seen.some((one) => one.url === "/smuggled"));
});

const ambiguous = {
  "no Host": "",
  "two Hosts": "Host: app.test\r\nHost: other.test\r\n",
};
for (const [name, headers] of Object.entries(ambiguous))
  test(`RFC 9112 section 3.2: an upgrade with ${name} is refused like any such request`, async (t) => {
    const { replicas, upstream } = await stage(t);
    upstream.server.on("upgrade", () => assert.fail("the application was asked"));
    const answer = await sendRaw(replicas[0]!.address, request(headers), /\}$/);
    assert.match(answer, /^HTTP\/1\.1 400 /);
  });

test("RFC 9110 section 7.8: HTTP/1.0 switches no protocols; the rest of such a request is served", async (t) => {
  const { replicas, upstream } = await stage(t);
  upstream.server.on("upgrade", () => assert.fail("the application was asked to switch"));
  const answer = await sendRaw(replicas[0]!.address, request("Host: app.test\r\n", "1.0"), /application/);
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

test("RFC 9112 section 9.3.2: an upgrade behind an unanswered request does not overtake its answer", async (t) => {
  const { replicas, upstream } = await stage(t);
  upstream.server.on("upgrade", shout);
  upstream.handler = (asked, response) => {
    if (asked.url === "/raw/first") setImmediate(() => response.end("first"));
    else response.end("second");
  };
  const first = "GET /raw/first HTTP/1.1\r\nHost: app.test\r\n\r\n";
  const answers = await sendRaw(replicas[0]!.address, first + request().replace(/hello$/, ""), /second/);
  assert.match(answers, /^HTTP\/1\.1 200 [^]*first[^]*HTTP\/1\.1 200 [^]*second$/);
});

for (const host of ["localhost", "127.0.0.1"])
  test(`RFC 6066 section 3: a WebSocket to an application behind TLS at ${host}`, async (t) => {
    const { key, cert } = selfSigned(host);
    const server = https.createServer({ key, cert }).on("upgrade", shout);
    await once(server.listen(0, host), "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { replicas } = await stage(t, {
      env: { PORTVAKT_LOGIN_UPSTREAM_HOST: `https://${host}:${port}`, PORTVAKT_LOGIN_UPSTREAM_CA: cert },
    });
    assert.match(await sendRaw(replicas[0]!.address, request(), /HELLO/), /^HTTP\/1\.1 101 [^]*HELLO$/);
  });

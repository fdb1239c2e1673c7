import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { openStage, type Stage } from "./stage.ts";
import { sendRaw } from "./wire.ts";

async function stage(t: TestContext): Promise<Stage> {
  const one = await openStage();
  t.after(() => one.close());
  return one;
}

const framing = [
  { name: "Content-Length twice", head: "Content-Length: 3\r\nContent-Length: 4", body: "abc" },
  {
    name: "Content-Length and Transfer-Encoding",
    head: "Content-Length: 3\r\nTransfer-Encoding: chunked",
    body: "0\r\n\r\n",
  },
  { name: "a misspelt Transfer-Encoding", head: "Transfer-Encoding: xchunked", body: "0\r\n\r\n" },
  { name: "chunked not last", head: "Transfer-Encoding: chunked, identity", body: "0\r\n\r\n" },
  { name: "a space before the colon", head: "Content-Length : 3", body: "abc" },
  { name: "a folded header", head: "X-A: 1\r\n Transfer-Encoding: chunked", body: "" },
  { name: "a bare line feed", head: "X-A: 1\nContent-Length: 3", body: "abc" },
  { name: "a negative length", head: "Content-Length: -1", body: "" },
  { name: "two hosts", head: "Host: other.test", body: "" },
  { name: "another coding", head: "Transfer-Encoding: gzip, chunked", body: "3\r\nabc\r\n0\r\n\r\n" },
  { name: "identity as a coding", head: "Transfer-Encoding: identity, chunked", body: "0\r\n\r\n" },
  {
    name: "chunked twice",
    head: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    body: "0\r\n\r\n",
  },
  {
    name: "Connection that names Content-Length",
    head: "Connection: close, content-length\r\nContent-Length: 3",
    body: "abc",
  },
];
for (const { name, head, body } of framing) {
  test(`RFC 9112 section 6.3: ${name} is refused with 400 and nothing is sent on`, async (t) => {
    const { replicas, upstream } = await stage(t);
    const answer = await sendRaw(
      replicas[0]!.address,
      `POST / HTTP/1.1\r\nHost: app.test\r\n${head}\r\n\r\n${body}`,
      /\r\n\r\n/,
    );
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(upstream.seen.length, 0);
  });
}

test("RFC 9112 section 6.1: HTTP/1.0 with Transfer-Encoding is refused, and the connection ends", async (t) => {
  const { replicas, upstream } = await stage(t);
  const behind = "GET /behind HTTP/1.1\r\nHost: app.test\r\n\r\n";
  const answer = await sendRaw(
    replicas[0]!.address,
    `POST / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${behind}`,
  );
  assert.match(answer, /^HTTP\/1\.1 400 [^]*\r\nconnection: close\r\n/i);
  assert.equal(upstream.seen.length, 0);
});

test("RFC 9112 section 7.1: chunked in any letters is that", async (t) => {
  const { replicas, upstream } = await stage(t);
  const request =
    "POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  assert.match(await sendRaw(replicas[0]!.address, request), /^HTTP\/1\.1 200 /);
  assert.equal(upstream.seen[0]?.body, "abc");
});

const hosts = [
  { host: "", status: 400 },
  { host: "app.test, evil", status: 400 },
  { host: "app.test,evil", status: 400 },
  { host: "app.test@evil", status: 400 },
  { host: "user@app.test", status: 400 },
  { host: "app.test/x", status: 400 },
  { host: "app.test:x", status: 400 },
  { host: "[::1", status: 400 },
  { host: "[::1]:3000", status: 200 },
  { host: "App.test:443", status: 200 },
  { host: "other_host-1.internal:8080", status: 200 },
];
for (const { host, status } of hosts) {
  test(`RFC 9112 section 3.2: Host "${host}" gets ${status}`, async (t) => {
    const { replicas, upstream } = await stage(t);
    const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    assert.match(await sendRaw(replicas[0]!.address, request), new RegExp(`^HTTP/1.1 ${status} `));
    assert.equal(upstream.seen.length, status === 200 ? 1 : 0);
  });
}

const targets = ["http://app.test/", "app.test:443", "*", "/a b", "/\u00e5", "/#x"];
for (const target of targets) {
  test(`RFC 9112 section 3.2: the request target "${target}" is refused`, async (t) => {
    const { replicas, upstream } = await stage(t);
    const answer = await sendRaw(
      replicas[0]!.address,
      `GET ${target} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n`,
      /\r\n\r\n/,
    );
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(upstream.seen.length, 0);
  });
}

// Whatever our parser accepts, node's own parser must read in the same way: two readers that differ are what smuggling is made of.
import { test } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { Duplex } from "node:stream";
import * as fc from "fast-check";
import { ResponseParser } from "./response.ts";

interface Answer {
  status: number;
  reason: string;
  headers: readonly string[];
  body: string;
  trailers: readonly string[];
}

/** What we make of an answer that comes in these pieces, before the connection closes; undefined when we refuse it. */
function ours(pieces: readonly Buffer[], method: string): Answer | undefined {
  let answer: Answer | undefined;
  let complete = false;
  const parser = new ResponseParser({
    onHead: (status, reason, headers) => {
      if (status >= 200) answer = { status, reason, headers, body: "", trailers: [] };
    },
    onBody: (piece) => {
      assert.ok(answer !== undefined && !complete, "a body belongs to an answer");
      answer.body += piece.toString("latin1");
    },
    onEnd: (trailers) => {
      assert.ok(answer !== undefined && !complete, "an answer ends once");
      answer.trailers = trailers;
      complete = true;
    },
  });
  parser.expect(method);
  try {
    for (const piece of pieces) parser.push(piece);
    parser.end();
  } catch {
    // What was complete before stands.
  }
  return complete ? answer : undefined;
}

/** What node makes of it; undefined when it refuses it. */
function theirs(bytes: Buffer, method: string): Promise<Answer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
  const connection = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const request = http.request({ method, createConnection: () => connection, maxHeaderSize: 70_000 });
  // An answer that was complete may still be on its way through the streams.
  const none = (): void => void setImmediate(() => setImmediate(() => resolve(undefined)));
  request.on("error", none);
  request.on("close", none);
  request.on("response", (response) => {
    let body = "";
    response.setEncoding("latin1");
    response.on("data", (piece: string) => (body += piece));
    response.on("error", none);
    response.on("end", () => {
      const { statusCode = 0, statusMessage = "", rawHeaders, rawTrailers } = response;
      if (response.complete)
        resolve({
          status: statusCode,
          reason: statusMessage,
          headers: rawHeaders,
          body,
          trailers: rawTrailers,
        });
    });
  });
  request.end();
  request.on("socket", () => {
    connection.push(bytes);
    connection.push(null);
  });
  return promise;
}

const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const statusLine = oneOf(
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200",
  "HTTP/1.0 200 OK",
  "HTTP/1.1 204 No Content",
  "HTTP/1.1 304 Not Modified",
  "HTTP/1.1 404 \xe5",
  "HTTP/1.1 599 a b\tc",
  "HTTP/1.1  200 OK",
  "HTTP/1.1 101 Switching Protocols",
);
const interim = oneOf(
  "",
  "",
  "",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n",
);
const header = oneOf(
  "Content-Length: 5",
  "content-length:5 ",
  "Content-Length: 05",
  "Content-Length: 5, 5",
  "Content-Length: 0",
  "Content-Length : 5",
  "Transfer-Encoding: chunked",
  "TRANSFER-ENCODING:\tChunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: identity",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: upgrade",
  "Upgrade: websocket",
  "Trailer: X-Sum",
  "Set-Cookie: a=b; Path=/",
  "Set-Cookie: c=\xff",
  "X-Empty:",
  "X-Blank: \t ",
  " folded",
  "X\x00: 1",
  "X: a\x7fb",
  "(: 1",
);
const body = oneOf(
  "",
  "hello",
  "hello and more",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
  '5;a="b;c"\r\nhello\r\n0;x\r\n\r\n',
  "2\r\nhe\r\n03\r\nllo\r\n00\r\n\r\n",
  "5\r\nhello0\r\n\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "0\r\nContent-Length: 5\r\n\r\n",
);
const built = fc
  .tuple(interim, statusLine, fc.array(header, { maxLength: 4 }), body)
  .map(([before, first, headers, rest]) => `${before}${[first, ...headers].join("\r\n")}\r\n\r\n${rest}`);

/** Small faults, such as programs and attackers make. */
const fault = fc.record({
  at: fc.nat(200),
  drop: fc.nat(2),
  put: oneOf("", "\r", "\n", "\r\n", " ", "\t", ":", ";", "0", "a", "\x00", "\x0b", "\x7f", "\x80", ",", '"'),
});
const message = fc
  .tuple(built, fc.array(fault, { maxLength: 2 }))
  .map(([text, faults]) =>
    faults.reduce(
      (now, { at, drop, put }) =>
        now.slice(0, at % (now.length + 1)) + put + now.slice((at % (now.length + 1)) + drop),
      text,
    ),
  );

test("RFC 9112: whatever is accepted, node:http reads in the same way, however it is cut", async () => {
  let accepted = 0;
  const cases = fc.asyncProperty(
    message,
    fc.constantFrom("GET", "GET", "HEAD"),
    fc.array(fc.nat(100), { maxLength: 5 }),
    async (text, method, cuts) => {
      const bytes = Buffer.from(text, "latin1");
      const ends = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].toSorted(
        (a, b) => a - b,
      );
      const pieces = ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
      const whole = ours([bytes], method);
      assert.deepEqual(ours(pieces, method), whole, "the pieces that it comes in make no difference");
      if (whole === undefined) return;
      accepted += 1;
      assert.deepEqual(await theirs(bytes, method), whole);
    },
  );
  await fc.assert(cases, { numRuns: 4000 });
  assert.ok(accepted > 500, `only ${accepted} of 4000 were accepted: nothing is shown by that`);
});

import { describe, test } from "node:test";
import assert from "node:assert/strict";
import { ResponseFault, ResponseParser } from "./response.ts";

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

interface Reading {
  readonly answers: readonly Answer[];
  readonly interim: readonly number[];
  readonly reusable: boolean;
}

/** Reads one answer to `method`, cut into pieces of `size` bytes; `closed` = the connection ends behind it. Throws: ResponseFault. */
function read(text: string, { method = "GET", size = Infinity, closed = false } = {}): Reading {
  const answers: Answer[] = [];
  const interim: number[] = [];
  let head: Omit<Answer, "body" | "trailers"> | undefined;
  let body = "";
  const parser = new ResponseParser({
    onHead: (status, reason, headers) => {
      if (status < 200) interim.push(status);
      else head = { status, reason, headers };
    },
    onBody: (piece) => (body += piece.toString("latin1")),
    onEnd: (trailers) => {
      assert.ok(head !== undefined, "an end needs a head");
      answers.push({ ...head, body, trailers });
    },
  });
  parser.expect(method);
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
  if (closed) parser.end();
  return { answers, interim, reusable: parser.isReusable };
}

const sizes = [Infinity, 1, 2, 3, 7];
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const accepted: readonly {
  readonly name: string;
  readonly text: string;
  readonly method?: string;
  readonly closed?: boolean;
  readonly body?: string;
  readonly trailers?: readonly string[];
  readonly reusable?: boolean;
}[] = [
  { name: "a length", text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc" },
  { name: "a length of nothing", text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
  { name: "no reason", text: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n" },
  { name: "an empty reason", text: "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n" },
  { name: "no header at all", text: "HTTP/1.1 204 No Content\r\n\r\n" },
  { name: "chunks", text: `${chunked}3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n`, body: "abc0123456789" },
  { name: "RFC 9112 section 7.1.1: chunk extensions", text: `${chunked}3;a;b=c;d="e f"\r\nabc\r\n0;x\r\n\r\n`, body: "abc" },
  { name: "RFC 9112 section 7.1.2: trailers", text: `${chunked}1\r\na\r\n0\r\nX-Sum: 1\r\nX-B:\r\n\r\n`, body: "a", trailers: ["X-Sum", "1", "X-B", ""] },
  { name: "RFC 9112 section 6.3: HEAD has no body whatever its headers say", text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method: "HEAD" },
  { name: "RFC 9112 section 6.3: HEAD with chunks announced", text: chunked, method: "HEAD" },
  { name: "RFC 9112 section 6.3: 204 has no body", text: "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n" },
  { name: "RFC 9112 section 6.3: 304 has no body, though it tells a length", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" },
  { name: "a body until the connection closes", text: "HTTP/1.1 200 OK\r\n\r\nabc", closed: true, body: "abc", reusable: false },
  { name: "RFC 9112 section 9.3: HTTP/1.0 does not persist", text: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", body: "a", reusable: false },
  { name: "RFC 9112 section 9.6: Connection: close", text: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\na", body: "a", reusable: false },
  { name: "RFC 9112 section 6.3: what follows an answer is no answer", text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb", body: "a", reusable: false },
  { name: "a body behind 204", text: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reusable: false },
  { name: "interim answers", text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", body: "a" },
]; // prettier-ignore

const refused: readonly { readonly name: string; readonly text: string; readonly closed?: boolean }[] = [
  { name: "RFC 9112 section 6.3: Content-Length and Transfer-Encoding", text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
  { name: "RFC 9112 section 6.3: two lengths", text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab" },
  { name: "the same length twice", text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na" },
  { name: "a list of lengths", text: "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na" },
  { name: "a negative length", text: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" },
  { name: "a signed length", text: "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na" },
  { name: "a length in hex", text: "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na" },
  { name: "an empty length", text: "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n" },
  { name: "a length that cannot be counted", text: `HTTP/1.1 200 OK\r\nContent-Length: ${"9".repeat(16)}\r\n\r\n` },
  { name: "RFC 9112 section 6.1: a coding besides chunked", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
  { name: "RFC 9112 section 6.1: chunked twice", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
  { name: "a misspelt coding", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
  { name: "RFC 9112 section 6.1: Transfer-Encoding in HTTP/1.0", text: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
  { name: "RFC 9112 section 7.1: a chunk size that is no number", text: `${chunked}g\r\n` },
  { name: "an empty chunk size", text: `${chunked}\r\n` },
  { name: "a chunk size with a sign", text: `${chunked}+3\r\nabc\r\n0\r\n\r\n` },
  { name: "a chunk size with 0x", text: `${chunked}0x3\r\nabc\r\n0\r\n\r\n` },
  { name: "a chunk size with a space", text: `${chunked}3 \r\nabc\r\n0\r\n\r\n` },
  { name: "a chunk size that cannot be counted", text: `${chunked}${"f".repeat(13)}\r\n` },
  { name: "a chunk size ended by a bare line feed", text: `${chunked}3\nabc\r\n0\r\n\r\n` },
  { name: "a line feed in a chunk extension", text: `${chunked}3;a\nb\r\nabc\r\n0\r\n\r\n` },
  { name: "an open quote in a chunk extension", text: `${chunked}3;a="b\r\nabc\r\n0\r\n\r\n` },
  { name: "a chunk that is longer than its size", text: `${chunked}2\r\nabc\r\n0\r\n\r\n` },
  { name: "a chunk that is shorter than its size", text: `${chunked}4\r\nabc\r\n0\r\n\r\n` },
  { name: "RFC 9112 section 5.2: a folded header", text: "HTTP/1.1 200 OK\r\nX-A: 1\r\n Content-Length: 1\r\n\r\na" },
  { name: "RFC 9112 section 5.1: a space before the colon", text: "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na" },
  { name: "a header without a name", text: "HTTP/1.1 200 OK\r\n: 1\r\n\r\n" },
  { name: "a header without a colon", text: "HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n" },
  { name: "RFC 9112 section 2.2: a bare line feed", text: "HTTP/1.1 200 OK\r\nX: 1\nContent-Length: 1\r\n\r\na" },
  { name: "RFC 9112 section 2.2: a bare carriage return", text: "HTTP/1.1 200 OK\r\nX: 1\rContent-Length: 1\r\n\r\na" },
  { name: "RFC 9110 section 5.5: NUL in a value", text: "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n" },
  { name: "a control character in the reason", text: "HTTP/1.1 200 O\x01K\r\n\r\n" },
  { name: "a malformed trailer", text: `${chunked}0\r\nX-A : 1\r\n\r\n` },
  { name: "RFC 9110 section 6.5.1: a trailer that frames", text: `${chunked}0\r\nContent-Length: 5\r\n\r\n` },
  { name: "RFC 9110 section 15.2: an interim answer of HTTP/1.0", text: "HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" },
  { name: "RFC 9110 section 8.6: an interim answer with a length", text: "HTTP/1.1 103 Hints\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" },
  { name: "another protocol", text: "RTSP/1.0 200 OK\r\n\r\n" },
  { name: "another version", text: "HTTP/2.0 200 OK\r\n\r\n" },
  { name: "a status of two digits", text: "HTTP/1.1 20 OK\r\n\r\n" },
  { name: "a status of four digits", text: "HTTP/1.1 2000 OK\r\n\r\n" },
  { name: "a status below 100", text: "HTTP/1.1 099 OK\r\n\r\n" },
  { name: "an empty line first", text: "\r\nHTTP/1.1 200 OK\r\n\r\n" },
  { name: "RFC 9110 section 7.8: another protocol that nobody asked for", text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" },
  { name: "a head above 64 KB", text: `HTTP/1.1 200 OK\r\nX: ${"a".repeat(65_536)}\r\n\r\n` },
  { name: "a head without end", text: `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}` },
  { name: "a chunk size without end", text: `${chunked}${"0".repeat(5000)}` },
  { name: "trailers above 64 KB", text: `${chunked}0\r\n${"X: 1\r\n".repeat(11_000)}\r\n` },
  { name: "RFC 9112 section 8: an end inside the head", text: "HTTP/1.1 200 OK\r\n", closed: true },
  { name: "RFC 9112 section 8: an end inside a body of a length", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", closed: true },
  { name: "RFC 9112 section 8: an end before the last chunk", text: `${chunked}1\r\na\r\n`, closed: true },
  { name: "RFC 9112 section 8: an end inside the trailers", text: `${chunked}0\r\nX: 1\r\n`, closed: true },
]; // prettier-ignore

describe("answers of the application", () => {
  for (const row of accepted)
    test(`${row.name}: read`, () => {
      for (const size of sizes) {
        const { answers, reusable } = read(row.text, { ...row, size });
        assert.equal(answers.length, 1, `in pieces of ${size}`);
        assert.equal(answers[0]?.body, row.body ?? "", `in pieces of ${size}`);
        assert.deepEqual(answers[0]?.trailers, row.trailers ?? []);
        assert.equal(reusable, row.reusable ?? true, `in pieces of ${size}`);
      }
    });

  for (const { name, text, closed = false } of refused)
    test(`${name}: refused`, () => {
      const inPieces = text.length > 5000 ? [Infinity, 4093] : sizes;
      for (const size of inPieces)
        assert.throws(() => read(text, { size, closed }), ResponseFault, `in pieces of ${size}`);
    });

  test("headers keep their order, their spelling and their repetitions; only blanks around values go", () => {
    const text =
      "HTTP/1.1 200 Fine, thanks\r\nSet-Cookie: a=1\r\nset-cookie:\tb=2 \r\nX-Empty:\r\nContent-Length:0\r\n\r\n";
    const headers = ["Set-Cookie", "a=1", "set-cookie", "b=2", "X-Empty", "", "Content-Length", "0"];
    assert.deepEqual(read(text).answers[0], {
      status: 200,
      reason: "Fine, thanks",
      headers,
      body: "",
      trailers: [],
    });
  });

  test("interim answers come first, and do not end the waiting", () => {
    const early = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n";
    const { interim, answers } = read(`${early}HTTP/1.1 204 No Content\r\n\r\n`);
    assert.deepEqual(interim, [102, 103]);
    assert.equal(answers[0]?.status, 204);
  });

  test("bytes on an idle connection make it unfit", () => {
    const parser = new ResponseParser({ onHead: () => {}, onBody: () => {}, onEnd: () => {} });
    parser.push(Buffer.from("HTTP/1.1 408 Request Timeout\r\n\r\n"));
    assert.equal(parser.isReusable, false);
  });

  test("a body of any length is passed on as it comes, nothing of it is kept", () => {
    let bytes = 0;
    const parser = new ResponseParser({
      onHead: () => {},
      onBody: (piece) => (bytes += piece.length),
      onEnd: () => {},
    });
    parser.expect("GET");
    parser.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 6553600\r\n\r\n"));
    const piece = Buffer.alloc(65_536);
    for (let index = 0; index < 100; index++) parser.push(piece);
    assert.equal(bytes, 6_553_600);
    assert.equal(parser.isReusable, true);
  });
});

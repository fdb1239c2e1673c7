/** What an answer turns out to hold, in the order in which it comes. */
export interface ResponseEvents {
  /** A head: of an interim answer (1xx), or of the final one. Header names and values alternate, as they were sent. */
  onHead(status: number, reason: string, headers: string[]): void;
  /** A piece of the body, without its framing. */
  onBody(piece: Buffer): void;
  /** The answer is complete. */
  onEnd(trailers: string[]): void;
}

/** Why an answer cannot be believed. */
export class ResponseFault extends Error {
  constructor(what: string) {
    super(`the application's answer cannot be read: ${what}`);
    this.name = "ResponseFault";
  }
}

/** What comes next. "between" = nothing: no answer is awaited. */
type Next = "between" | "head" | "sized" | "until close" | "chunk size" | "chunk" | "chunk end" | "trailer";

/** All headers, or all trailers, of one answer. */
const maxHeadBytes = 65_536;
const maxChunkLineBytes = 4096;

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const text = "[\\t\\x20-\\x7e\\x80-\\xff]*";
/** RFC 9112 sections 4 and 5, in one linear test: no white space before a colon, no folded line, no bare CR or LF, no control character. */
const headShape = new RegExp(`^HTTP/1\\.[01] [1-9]\\d\\d(?: ${text})?(?:\\r\\n${token}:${text})*$`);
const fieldShape = new RegExp(`^${token}:${text}$`);
const framingTrailer = /^(content-length|transfer-encoding|connection|upgrade)\s*:/i;
/** RFC 9112 section 7.1. Twelve digits are more bytes than anybody sends, and still counted exactly. */
const chunkShape = new RegExp(
  `^([0-9A-Fa-f]{1,12})(?:;${token}(?:=(?:${token}|"[\\t\\x20!#-\\[\\]-\\x7e\\x80-\\xff]*"))?)*$`,
);
const lengthShape = /^\d{1,15}$/;

/**
 * Reads the answers that come on one connection, one at a time, however they are cut into pieces.
 * Checks: RFC 9112 sections 4 to 7, strictly; what two readers could frame differently (both Content-Length and Transfer-Encoding, either
 * of them twice, any coding but chunked, a length that is no plain number, anything malformed) is no answer at all.
 * Does not check: what headers mean.
 * Throws: ResponseFault; the connection is then good for nothing.
 */
export class ResponseParser {
  readonly #to: ResponseEvents;
  #next: Next = "between";
  #hasNoBody = false;
  /** Bytes of the body or of the chunk that are still to come. */
  #left = 0;
  /** The beginning of a head or line whose end has not come. */
  #begun = "";
  #trailers = "";
  #persists = true;

  constructor(to: ResponseEvents) {
    this.#to = to;
  }

  /** Whether another request may be sent on the connection: the answer is complete, and nothing but it has come. */
  get isReusable(): boolean {
    return this.#next === "between" && this.#persists;
  }

  /** Whether the answer has not begun, but for interim ones. */
  get isAwaiting(): boolean {
    return this.#next === "head";
  }

  /** Awaits the answer to a request that was sent. An answer to HEAD has no body whatever its headers say. */
  expect(method: string): void {
    this.#next = "head";
    this.#hasNoBody = method === "HEAD";
  }

  /** Reads on. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#next === "between") {
        // Nobody asked for it. What was asked for is complete, and stands; whatever this is, it answers no later request.
        this.#persists = false;
        return;
      }
      at = this.#step(bytes, at);
    }
  }

  /** The application has ended the connection. */
  end(): void {
    if (this.#next === "between") return;
    if (this.#next !== "until close") throw new ResponseFault("it ends before it is complete");
    this.#complete([]);
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#next) {
      case "sized":
      case "chunk":
        return this.#readBody(bytes, at);
      case "until close":
        this.#to.onBody(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case "head":
        return this.#readUntil("\r\n\r\n", maxHeadBytes, bytes, at);
      default:
        return this.#readUntil(
          "\r\n",
          this.#next === "trailer" ? maxHeadBytes : maxChunkLineBytes,
          bytes,
          at,
        );
    }
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    this.#to.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.#left === 0) {
      if (this.#next === "sized") this.#complete([]);
      else this.#next = "chunk end";
    }
    return end;
  }

  /** Reads up to and with `end`, and takes in what stands before it; keeps what there is when it has not come. Gives where it stopped. */
  #readUntil(end: string, max: number, bytes: Buffer, at: number): number {
    const before = this.#begun;
    if (before === "") {
      const found = bytes.indexOf(end, at, "latin1");
      if (found === -1 ? bytes.length - at > max : found - at > max)
        throw new ResponseFault("too long a head");
      if (found === -1) this.#begun = bytes.toString("latin1", at);
      else this.#take(bytes.toString("latin1", at, found));
      return found === -1 ? bytes.length : found + end.length;
    }
    // The end may have begun in an earlier piece.
    const seen = before + bytes.toString("latin1", at, Math.min(bytes.length, at + max + end.length));
    const found = seen.indexOf(end, Math.max(0, before.length - end.length));
    if (found > max || (found === -1 && seen.length > max)) throw new ResponseFault("too long a head");
    this.#begun = found === -1 ? seen : "";
    if (found !== -1) this.#take(seen.slice(0, found));
    return found === -1 ? bytes.length : at + found + end.length - before.length;
  }

  #take(seen: string): void {
    if (this.#next === "head") this.#takeHead(seen);
    else if (this.#next === "chunk size") this.#takeChunkSize(seen);
    else if (this.#next === "trailer") this.#takeTrailer(seen);
    else if (seen === "") this.#next = "chunk size";
    else throw new ResponseFault("a chunk is longer than its size");
  }

  #takeTrailer(line: string): void {
    if (line === "") return this.#complete(readFields(this.#trailers, 0));
    if (!fieldShape.test(line)) throw new ResponseFault("a trailer is malformed");
    // RFC 9110 section 6.5.1: too late to frame anything.
    if (framingTrailer.test(line)) throw new ResponseFault("a trailer is one that frames");
    this.#trailers += `\r\n${line}`;
    if (this.#trailers.length > maxHeadBytes) throw new ResponseFault("too many trailers");
  }

  #takeChunkSize(line: string): void {
    const size = chunkShape.exec(line)?.[1];
    if (size === undefined) throw new ResponseFault("a chunk's size is malformed");
    this.#left = Number.parseInt(size, 16);
    this.#next = this.#left === 0 ? "trailer" : "chunk";
  }

  #takeHead(head: string): void {
    if (!headShape.test(head)) throw new ResponseFault("its head is malformed");
    const status = Number(head.slice(9, 12));
    // Who did not ask for another protocol gets none.
    if (status === 101) throw new ResponseFault("it switches protocols unasked");
    const lineEnd = head.indexOf("\r\n");
    const reason = lineEnd === -1 ? head.slice(13) : head.slice(13, lineEnd);
    const headers = lineEnd === -1 ? [] : readFields(head, lineEnd);
    const isVersion11 = head.charCodeAt(7) === 49;
    const framing = readFraming(headers, isVersion11);
    if (status < 200) {
      if (!isVersion11 || framing.isChunked || framing.length !== undefined)
        throw new ResponseFault("an interim answer is one that cannot be");
      return this.#to.onHead(status, reason, headers);
    }
    this.#persists = framing.persists;
    this.#to.onHead(status, reason, headers);
    if (this.#hasNoBody || status === 204 || status === 304 || framing.length === 0)
      return this.#complete([]);
    this.#left = framing.length ?? 0;
    this.#next = framing.isChunked ? "chunk size" : framing.length === undefined ? "until close" : "sized";
  }

  #complete(trailers: string[]): void {
    if (this.#next === "until close") this.#persists = false;
    this.#next = "between";
    this.#trailers = "";
    this.#to.onEnd(trailers);
  }
}

/** Names and values, in turn, of header lines whose shape was tested; `at` is the line end before the first. */
function readFields(lines: string, at: number): string[] {
  const fields: string[] = [];
  for (let start = at; start !== -1 && start < lines.length;) {
    const colon = lines.indexOf(":", start);
    const end = lines.indexOf("\r\n", colon);
    fields.push(lines.slice(start + 2, colon), trimmed(lines, colon + 1, end === -1 ? lines.length : end));
    start = end;
  }
  return fields;
}

/** RFC 9110 section 5.5: a value is without the spaces and tabs around it (and those only). */
function trimmed(lines: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(lines.charCodeAt(start))) start++;
  while (end > start && isBlank(lines.charCodeAt(end - 1))) end--;
  return lines.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

interface Framing {
  readonly isChunked: boolean;
  readonly length: number | undefined;
  /** Whether the connection may be used again. */
  readonly persists: boolean;
}

/** What frames an answer with a body. Throws: ResponseFault for what RFC 9112 section 6.3 lets two readers understand differently. */
function readFraming(headers: readonly string[], isVersion11: boolean): Framing {
  let isChunked = false;
  let length: number | undefined;
  let persists = isVersion11;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    // By length first: nearly no header needs to be looked at.
    if (name.length !== 10 && name.length !== 14 && name.length !== 17) continue;
    const lower = name.toLowerCase();
    const value = headers[index + 1] ?? "";
    if (lower === "connection") persists &&= !/\bclose\b/i.test(value);
    else if (lower === "content-length") {
      if (length !== undefined) throw new ResponseFault("it has two lengths");
      if (!lengthShape.test(value)) throw new ResponseFault("its length is not a number");
      length = Number(value);
    } else if (lower === "transfer-encoding") {
      if (isChunked || !isVersion11 || value.toLowerCase() !== "chunked")
        throw new ResponseFault("its transfer coding is not chunked alone");
      isChunked = true;
    }
  }
  if (isChunked && length !== undefined) throw new ResponseFault("it has a length and a transfer coding");
  return { isChunked, length, persists };
}

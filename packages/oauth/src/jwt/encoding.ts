import { base64url } from "jose";
import { nativeModule } from "./native-crypto.ts";

/**
 * The encodings of a JWS (RFC 7515 section 2): by Node's Buffer where there is one, else by what every runtime has. Both take the
 * same texts. Buffer takes a quarter of the time, and small ones come out of a pool.
 */
interface Encoding {
  /** The bytes of a text that is known to be ASCII. */
  ascii(text: string): Uint8Array;
  /** Undefined for anything but base64url without padding. */
  fromBase64url(text: string): Uint8Array | undefined;
  toBase64url(bytes: Uint8Array): string;
  /** JSON of the value, as base64url of its UTF-8. */
  fromJson(value: object): string;
}

/** What is used of Node's Buffer. */
interface NativeBuffer {
  from(text: string, encoding: "latin1" | "base64url" | "utf8"): NodeBytes;
  from(bytes: ArrayBufferLike, offset: number, length: number): NodeBytes;
}
interface NodeBytes extends Uint8Array {
  toString(encoding?: "base64url"): string;
}

/** A single digit is the rest of no byte. */
const isBase64url = (text: string): boolean => text.length % 4 !== 1 && /^[A-Za-z0-9_-]*$/.test(text);

const byStandards: Encoding = {
  ascii: (text) => new TextEncoder().encode(text),
  fromBase64url: (text) => (isBase64url(text) ? base64url.decode(text) : undefined),
  toBase64url: (bytes) => base64url.encode(bytes),
  fromJson: (value) => base64url.encode(JSON.stringify(value)),
};

function byBuffer(native: NativeBuffer): Encoding {
  return {
    ascii: (text) => native.from(text, "latin1"),
    // Buffer itself skips what is no base64url.
    fromBase64url: (text) => (isBase64url(text) ? native.from(text, "base64url") : undefined),
    toBase64url: ({ buffer, byteOffset, byteLength }) =>
      native.from(buffer, byteOffset, byteLength).toString("base64url"),
    fromJson: (value) => native.from(JSON.stringify(value), "utf8").toString("base64url"),
  };
}

const native = nativeModule("node:buffer", "Buffer") as { readonly Buffer: NativeBuffer } | undefined;

/** That of this runtime. */
export const encoding: Encoding = native === undefined ? byStandards : byBuffer(native.Buffer);

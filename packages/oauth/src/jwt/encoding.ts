import { base64url } from "jose";
import { nativeModule } from "./native.ts";

/**
 * The encodings of a JWS (RFC 7515 section 2): by Node's Buffer where there is one, else by what every runtime has. Buffer takes
 * a quarter of the time, and small ones come out of a pool.
 */
interface Encoding {
  /** The bytes of a text that is known to be ASCII. */
  ascii(text: string): Uint8Array;
  toBase64url(bytes: Uint8Array): string;
  /** JSON of the value, as base64url of its UTF-8. */
  fromJson(value: object): string;
}

/** What is used of Node's Buffer. */
interface NativeBuffer {
  from(text: string, encoding: "latin1" | "utf8"): NodeBytes;
  from(bytes: ArrayBufferLike, offset: number, length: number): NodeBytes;
}
interface NodeBytes extends Uint8Array {
  toString(encoding?: "base64url"): string;
}

const byStandards: Encoding = {
  ascii: (text) => new TextEncoder().encode(text),
  toBase64url: (bytes) => base64url.encode(bytes),
  fromJson: (value) => base64url.encode(JSON.stringify(value)),
};

function byBuffer(native: NativeBuffer): Encoding {
  return {
    ascii: (text) => native.from(text, "latin1"),
    toBase64url: ({ buffer, byteOffset, byteLength }) =>
      native.from(buffer, byteOffset, byteLength).toString("base64url"),
    fromJson: (value) => native.from(JSON.stringify(value), "utf8").toString("base64url"),
  };
}

const native = nativeModule("node:buffer", "Buffer") as { readonly Buffer: NativeBuffer } | undefined;

/** That of this runtime. */
export const encoding: Encoding = native === undefined ? byStandards : byBuffer(native.Buffer);

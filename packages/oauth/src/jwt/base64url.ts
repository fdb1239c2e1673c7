// Decodes base64url without padding (RFC 7515 section 2), and takes nothing else: not even what decoders usually let through.
import { base64url } from "jose";
import { nativeModule } from "./native.ts";

const alphabet = { alphabet: "base64url" } as const;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether the language has a decoder (ECMAScript 2026): it takes a fifth of the time of looking at each character first. */
const hasDecoder = "fromBase64" in Uint8Array;

/** What a text may end with whose last digit is not all used: the rest of it is zero, or several texts would be the same bytes. */
const lastDigits: Readonly<Record<number, string>> = { 2: "AQgw", 3: "AEIMQUYcgkosw048" };

function endsWell(text: string): boolean {
  const rest = text.length % 4;
  return rest === 0 || lastDigits[rest]?.includes(text.charAt(text.length - 1)) === true;
}

/** The language's decoder lets spaces and padding through, which then are fewer bytes than the text has room for. */
function isWhole(text: string, bytes: number): boolean {
  return bytes === Math.floor((text.length * 3) / 4) && endsWell(text);
}

interface NativeBuffer {
  from(text: string, encoding: "base64url"): Uint8Array;
  allocUnsafe(size: number): Uint8Array;
}

const native = nativeModule("node:buffer", "Buffer") as { readonly Buffer: NativeBuffer } | undefined;

/** Memory for a few bytes: where there is Node's Buffer, out of its pool. */
const allocate: (size: number) => Uint8Array =
  native === undefined ? (size) => new Uint8Array(size) : (size) => native.Buffer.allocUnsafe(size);

/** For runtimes without: by Node's Buffer or by jose, which both skip what is no base64url. */
function fromCheckedText(text: string): Uint8Array | undefined {
  if (!endsWell(text) || !/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  return native === undefined ? base64url.decode(text) : native.Buffer.from(text, "base64url");
}

/** The bytes; undefined for anything but base64url. */
export function fromBase64url(text: string): Uint8Array | undefined {
  if (!hasDecoder) return fromCheckedText(text);
  try {
    const bytes = allocate(Math.floor((text.length * 3) / 4));
    return isWhole(text, bytes.setFromBase64(text, alphabet).written) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Where texts are decoded, in place of new memory for each. Nothing of it is given out. */
const scratch = new Uint8Array(16_384);

/** The UTF-8 text; undefined for anything but base64url of one. */
export function textFromBase64url(text: string): string | undefined {
  try {
    if (!hasDecoder || text.length > scratch.length) {
      const bytes = fromBase64url(text);
      return bytes && utf8.decode(bytes);
    }
    const { written } = scratch.setFromBase64(text, alphabet);
    return isWhole(text, written) ? utf8.decode(scratch.subarray(0, written)) : undefined;
  } catch {
    return undefined;
  }
}

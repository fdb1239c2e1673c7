/**
 * Owns: authenticated encryption of small values with a ring of keys.
 * Does not own: where keys come from, and what is sealed.
 * Request path: login's cookies and session values; TokenX's signing keys in its database.
 * Spec: AES-256-GCM (NIST SP 800-38D), HKDF with SHA-256 (RFC 5869).
 *
 * Format, base64url of: version (1 byte, 1) | key id (4 bytes) | salt (16 bytes) | ciphertext | tag (16 bytes).
 * Each message has its own key and nonce, HKDF(ring key, random salt, "portvakt seal v1"), so there is no count of messages
 * after which a nonce could repeat: 2^48 messages leave a chance of about 2^-32 that two salts meet. The purpose, the version and
 * the key id are associated data, so what was sealed for one use opens for no other.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import type { Secret } from "../observe/index.ts";

declare const sealedBrand: unique symbol;
/** A text made by `seal`. */
export type Sealed = string & { readonly [sealedBrand]: true };

interface RingKey {
  readonly id: Buffer;
  readonly key: Buffer;
}

/** Keys that seal and open: the first seals, every one opens. */
export interface KeyRing {
  readonly keys: readonly [RingKey, ...RingKey[]];
}

const version = 1;
const idBytes = 4;
const saltBytes = 16;
const tagBytes = 16;
const headBytes = 1 + idBytes + saltBytes;
/** Larger than any cookie or session; a bound on the work that a forged text can cause. */
const maxSealedChars = 4_000_000;
const info = Buffer.from("portvakt seal v1");

/** Base64 or base64url of exactly 32 bytes. The message says nothing of the value. */
function decodeKey(secret: Secret, index: number): Buffer {
  const text = secret.reveal().trim();
  const key = /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : undefined;
  if (key?.length !== 32)
    throw new TypeError(
      `key ${index + 1} of the ring is not base64 of 32 bytes; make one with: openssl rand -base64 32`,
    );
  return key;
}

/** Makes a ring of 256-bit keys, given as base64. To rotate: put the new key first, and drop the old when nothing it sealed is in use. *Throws* TypeError. */
export function createKeyRing(keys: readonly Secret[]): KeyRing {
  const [first, ...rest] = keys.map((secret, index) => {
    const key = decodeKey(secret, index);
    return {
      key,
      id: createHash("sha256").update("portvakt key id\0").update(key).digest().subarray(0, idBytes),
    };
  });
  if (first === undefined) throw new TypeError("a key ring needs a key");
  return { keys: [first, ...rest] };
}

function derive(key: Buffer, salt: Uint8Array): { key: Buffer; nonce: Buffer } {
  const bytes = Buffer.from(hkdfSync("sha256", key, salt, info, 44));
  return { key: bytes.subarray(0, 32), nonce: bytes.subarray(32) };
}

function associated(head: Uint8Array, purpose: string): Buffer {
  return Buffer.concat([head.subarray(0, 1 + idBytes), Buffer.from(purpose, "utf8")]);
}

/** Encrypts and authenticates `plaintext` for one `purpose` with the ring's first key. */
export function seal(ring: KeyRing, purpose: string, plaintext: Uint8Array): Sealed {
  const { id, key } = ring.keys[0];
  const salt = randomBytes(saltBytes);
  const head = Buffer.concat([Buffer.of(version), id, salt]);
  const own = derive(key, salt);
  const cipher = createCipheriv("aes-256-gcm", own.key, own.nonce);
  cipher.setAAD(associated(head, purpose));
  return Buffer.concat([head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString(
    "base64url",
  ) as Sealed;
}

/**
 * Opens what `seal` made for the same purpose with any key of the ring, chosen by the key id in the text.
 * *Checks* form, version, key, purpose and integrity. *Does not check* age: put a time in the plaintext.
 * Gives undefined for everything else, without saying which check failed.
 */
export function open(ring: KeyRing, purpose: string, sealed: string): Uint8Array | undefined {
  if (sealed.length > maxSealedChars || !/^[A-Za-z0-9_-]+$/.test(sealed)) return undefined;
  const bytes = Buffer.from(sealed, "base64url");
  // A text with stray trailing bits decodes to the same bytes; one value has one text, so it is refused.
  if (bytes.length < headBytes + tagBytes || bytes[0] !== version || bytes.toString("base64url") !== sealed)
    return undefined;
  const id = bytes.subarray(1, 1 + idBytes);
  const known = ring.keys.find((candidate) => candidate.id.equals(id));
  if (known === undefined) return undefined;
  const own = derive(known.key, bytes.subarray(1 + idBytes, headBytes));
  const decipher = createDecipheriv("aes-256-gcm", own.key, own.nonce, { authTagLength: tagBytes });
  decipher.setAAD(associated(bytes, purpose));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(headBytes, -tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

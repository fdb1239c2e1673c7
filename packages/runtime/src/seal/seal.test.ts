import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { Secret } from "../observe/index.ts";
import { createKeyRing, open, seal } from "./index.ts";

const key = (): Secret => new Secret(randomBytes(32).toString("base64"));
const [first, second, third] = [key(), key(), key()];
const ring = createKeyRing([first, second]);
const plaintext = Buffer.from("a session");
const same = (opened: Uint8Array | undefined): boolean =>
  opened !== undefined && Buffer.from(opened).equals(plaintext);

describe("seal", () => {
  it("opens what it sealed, of any content and size", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.string(), (bytes, purpose) => {
        const opened = open(ring, purpose, seal(ring, purpose, bytes));
        return opened !== undefined && Buffer.from(opened).equals(bytes);
      }),
    );
  });

  it("gives another text each time, with nothing of the plaintext in it", () => {
    const texts = new Set(Array.from({ length: 1000 }, () => seal(ring, "cookie", plaintext)));
    assert.equal(texts.size, 1000);
    assert.ok(![...texts].some((text) => Buffer.from(text, "base64url").includes(plaintext)));
  });

  it("seals with the first key and opens with every key of the ring", () => {
    const before = createKeyRing([second]);
    assert.ok(
      same(open(ring, "cookie", seal(before, "cookie", plaintext))),
      "the ring opens what its older key sealed",
    );
    assert.equal(
      open(before, "cookie", seal(ring, "cookie", plaintext)),
      undefined,
      "the ring seals with its newer key",
    );
  });

  it("adds at most 37 bytes and their base64url", () => {
    assert.equal(Buffer.from(seal(ring, "cookie", plaintext), "base64url").length, plaintext.length + 37);
  });
});

describe("open gives undefined for", () => {
  const sealed = seal(ring, "cookie", plaintext);
  const bytes = Buffer.from(sealed, "base64url");
  const flipped = (at: number): string => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy.toString("base64url");
  };
  const rows: readonly { name: string; text: string; purpose?: string; by?: ReturnType<typeof createKeyRing> }[] = [
    { name: "another purpose", text: sealed, purpose: "session" },
    { name: "a purpose that begins alike", text: sealed, purpose: "cookie2" },
    { name: "a ring without the key", text: sealed, by: createKeyRing([third]) },
    { name: "another version", text: flipped(0) },
    { name: "another key id", text: flipped(1) },
    { name: "the other key's id", text: Buffer.concat([bytes.subarray(0, 1), Buffer.from(seal(createKeyRing([second]), "cookie", plaintext), "base64url").subarray(1, 5), bytes.subarray(5)]).toString("base64url") },
    { name: "another salt", text: flipped(10) },
    { name: "another ciphertext", text: flipped(22) },
    { name: "another tag", text: flipped(bytes.length - 1) },
    { name: "a cut text", text: bytes.subarray(0, -1).toString("base64url") },
    { name: "a cut tag", text: bytes.subarray(0, 30).toString("base64url") },
    { name: "an added byte", text: Buffer.concat([bytes, Buffer.of(0)]).toString("base64url") },
    { name: "nothing", text: "" },
    { name: "plain base64", text: `${sealed}=` },
    { name: "no base64 at all", text: "{}" },
    { name: "a space inside", text: `${sealed.slice(0, 8)} ${sealed.slice(8)}` },
    { name: "millions of letters", text: "A".repeat(4_000_004) },
  ]; // prettier-ignore
  for (const { name, text, purpose = "cookie", by = ring } of rows)
    it(name, () => assert.equal(open(by, purpose, text), undefined));

  it("every single changed bit", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const copy = Buffer.from(bytes);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(open(ring, "cookie", copy.toString("base64url")), undefined, `bit ${bit}`);
    }
  });

  it("a text with other stray bits at its end (one value, one text)", () => {
    const padded = seal(ring, "cookie", Buffer.from("ab")); // 39 bytes fill their base64url; 38 leave two bits over
    const loose = seal(ring, "cookie", Buffer.from("a"));
    assert.ok(open(ring, "cookie", padded) !== undefined);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(loose.at(-1) ?? "");
    assert.equal(open(ring, "cookie", loose.slice(0, -1) + alphabet[last ^ 1]), undefined);
  });
});

describe("createKeyRing", () => {
  it("takes base64 and base64url of 32 bytes", () => {
    const raw = randomBytes(32);
    const sealed = seal(createKeyRing([new Secret(raw.toString("base64"))]), "p", plaintext);
    assert.ok(same(open(createKeyRing([new Secret(`${raw.toString("base64url")}\n`)]), "p", sealed)));
  });
  const wrong: readonly { name: string; keys: readonly Secret[] }[] = [
    { name: "no key", keys: [] },
    { name: "a short key", keys: [new Secret(randomBytes(16).toString("base64"))] },
    { name: "a long key", keys: [new Secret(randomBytes(33).toString("base64"))] },
    { name: "text of 32 letters", keys: [new Secret("0123456789abcdef0123456789abcdef")] },
    { name: "a wrong second key", keys: [key(), new Secret("hunter2")] },
  ];
  for (const { name, keys } of wrong) {
    it(`refuses ${name}, without showing it`, () => {
      assert.throws(() => createKeyRing(keys), (error: Error) => error instanceof TypeError && !keys.some((one) => error.message.includes(one.reveal()))); // prettier-ignore
    });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { base64url } from "jose";
import { fromBase64url, textFromBase64url } from "./base64url.ts";

const refused: Readonly<Record<string, string>> = {
  padding: "AA==",
  "a space within": "AA AA",
  "a space after whole groups": "AAAA ",
  "a space that makes a whole group": "AAA ",
  "a line break": "AAAA\n",
  "two spaces": "AAAA  ",
  "+ and / of the other alphabet": "+/AA",
  "a single digit": "AAAAA",
  "a character whose low byte is a digit": "AAA\u0141",
  "a zero byte": "AAAA\u0000AAA",
  "a dot": "AA.A",
  "bits behind the last byte (RFC 4648 section 3.5)": "AB",
  "bits behind the last two bytes": "AAB",
};

for (const [name, text] of Object.entries(refused))
  test(`RFC 7515 section 2: ${name} is no base64url without padding`, () => {
    assert.equal(fromBase64url(text), undefined);
    assert.equal(textFromBase64url(text), undefined);
  });

test("every encoding is decoded to what it was made of", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.deepEqual([...(fromBase64url(base64url.encode(bytes)) ?? ["none"])], [...bytes]);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(textFromBase64url(base64url.encode(text)), text);
    }),
  );
});

test("only digits are decoded, whatever text it is", () => {
  const text = fc.string({ unit: fc.constantFrom("A", "z", "0", "-", "_", " ", "=", "\t", "+", "š") });
  fc.assert(
    fc.property(text, (given) => {
      const digits = /^[A-Za-z0-9_-]*$/.test(given) && given.length % 4 !== 1;
      const isOne = digits && base64url.encode(base64url.decode(given)) === given;
      assert.equal(fromBase64url(given) !== undefined, isOne, JSON.stringify(given));
    }),
    { numRuns: 2000 },
  );
});

test("a long text is decoded like a short one", () => {
  for (const length of [12_000, 12_288, 12_289, 30_000])
    assert.equal(textFromBase64url(base64url.encode("x".repeat(length))), "x".repeat(length));
});

test("what is no UTF-8 is no text", () => {
  assert.equal(textFromBase64url(base64url.encode(new Uint8Array([0xff, 0xfe]))), undefined);
});

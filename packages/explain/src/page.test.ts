import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { faults, protocolErrors, tokenRefusals } from "@portvakt/oauth";
import { decisionReasons } from "@portvakt/policy";
import { entraErrors, maskinportenErrors, tokenxErrors } from "@portvakt/providers";
import { validationErrors } from "@portvakt/sdk";
import { errorsMarkdown } from "./page.ts";

const sources: Readonly<Record<string, object>> = {
  ...{
    faults,
    protocolErrors,
    tokenRefusals,
    decisionReasons,
    entraErrors,
    maskinportenErrors,
    tokenxErrors,
  },
  validationErrors,
  tokenxErrors,
};

describe("docs/errors.md", () => {
  test("is what the tables say", async () => {
    const path = resolve(import.meta.dirname, "../../../docs/errors.md");
    assert.equal(await readFile(path, "utf8"), errorsMarkdown(), "run npm run docs");
  });

  for (const [name, codes] of Object.entries(sources)) {
    test(`has every code of ${name}, with cause, owner and fix`, () => {
      const rows = errorsMarkdown().split("\n");
      for (const code of Object.keys(codes)) {
        const row = rows.find(
          (line) => line.startsWith(`| \`${code}\` `) || line.startsWith(`| [\`${code}\`]`),
        );
        assert.ok(row !== undefined, `${code} is missing`);
        const cells = row.slice(2, -2).split(" | ");
        assert.equal(cells.length, 4, row);
        assert.ok(
          cells.every((cell) => cell.length > 3),
          row,
        );
      }
    });
  }
});

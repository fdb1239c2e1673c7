import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { assert as holds, property, string } from "fast-check";
import { parseEnv } from "node:util";
import { envFile, impossible, unwritable } from "./env-file.ts";

const folder = await mkdtemp(join(tmpdir(), "portvakt-env-"));
after(() => rm(folder, { recursive: true, force: true }));

describe("a file of variables", () => {
  test("node --env-file reads every value as it is, and no variable more", async () => {
    const variables = {
      EMPTY: "",
      QUOTES: `a"b'c\nEVIL=1`,
      PATH_OF_WINDOWS: "C:\\new\\temp",
      SHELL: "x#y $HOME `id`",
      APOSTROPHE: "it's\\n",
      SPACES: "  a b ",
      LINES: "\n\nEVIL=2\n",
      JSON: `{"a":"it\\"s"}`,
      "with.dots-and-dashes": "=",
    };
    const file = join(folder, "all.env");
    await writeFile(file, envFile(variables));
    const out = execFileSync(process.execPath, [`--env-file=${file}`, "-p", "JSON.stringify(process.env)"], {
      encoding: "utf8",
      env: {},
    });
    assert.deepEqual(JSON.parse(out), variables);
  });

  test("whatever the values, they are read back, or refused", () => {
    const part = string({ unit: "grapheme" });
    holds(
      property(part, string({ maxLength: 12, unit: "binary-ascii" }), (one, two) => {
        const said = Object.entries({ ONE: one, TWO: two, LAST: "x" }).filter(
          ([name, value]) => unwritable(name, value) === undefined,
        );
        const variables = Object.fromEntries(said);
        assert.deepEqual({ ...parseEnv(envFile(variables)) }, variables);
      }),
      { numRuns: 2000 },
    );
  });

  const refused: readonly { name: string; variable: readonly [string, string]; says: RegExp }[] = [
    {
      name: "all three quotes",
      variable: ["A", `'"\``],
      says: /can say the value of A: .* all three quotes/,
    },
    {
      name: "a carriage return",
      variable: ["A", "a\rb"],
      says: /can say the value of A: it holds a carriage return/,
    },
    { name: "a NUL", variable: ["A", "a\0b"], says: /the value of A holds a NUL/ },
    { name: "a name with a line feed", variable: ["A\nB", "1"], says: /"A\\nB" is no name for a variable/ },
    { name: "a name that is a comment", variable: ["#A", "1"], says: /"#A" is no name/ },
    { name: "a name that says export", variable: ["export A", "1"], says: /"export A" is no name/ },
  ];
  for (const { name, variable, says } of refused) {
    test(`${name} is refused`, () => {
      assert.match(unwritable(...variable) ?? "", says);
      assert.throws(() => envFile({ [variable[0]]: variable[1] }), says);
    });
  }

  test("a process takes what only a file cannot hold", () => {
    assert.equal(impossible("A", `'"\`\r`), undefined);
    assert.match(impossible("A", "\0") ?? "", /NUL/);
  });
});

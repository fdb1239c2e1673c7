// The checks that are ours, proved with cases that must fail.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { linksIn, problemOf } from "./links.ts";
import { missingFrom } from "./lock.ts";
import { forbiddenIn } from "./words.ts";

describe("links", () => {
  const tree: Readonly<Record<string, string>> = {
    "README.md": "",
    "docs/guide.md": "# Sign in, twice\n## `code` and [a link](x)\n## Twice\n## Twice\n",
    docs: "",
  };
  const read = async (path: string): Promise<string | undefined> => tree[path];
  const cases: readonly [link: string, problem: RegExp | undefined][] = [
    ["[a](docs/guide.md)", undefined],
    ["[a](docs/guide.md#sign-in-twice)", undefined],
    ["[a](docs/guide.md#code-and-a-link)", undefined],
    ["[a](docs/guide.md#twice-1)", undefined],
    ["[a](docs)", undefined],
    ["[a](https://example.org/nothing)", undefined],
    ["[a]: docs/guide.md", undefined],
    ["`[a](nothing.md)`", undefined],
    ["```\n[a](nothing.md)\n```", undefined],
    ["[a](nothing.md)", /points to nothing/u],
    ["[a](../outside.md)", /points to nothing/u],
    ["[a](docs/guide.md#no-such)", /points to no heading/u],
    ["[a]: nothing.md", /points to nothing/u],
    ["![picture](nothing.png)", /points to nothing/u],
  ];
  for (const [markdown, problem] of cases) {
    test(JSON.stringify(markdown), async () => {
      const problems: string[] = [];
      for (const link of linksIn("README.md", markdown)) {
        const found = await problemOf(link, read);
        if (found !== undefined) problems.push(found);
      }
      assert.equal(problems.length, problem === undefined ? 0 : 1, problems.join("\n"));
      if (problem) assert.match(problems[0]!, problem);
    });
  }
});

describe("words", () => {
  const host = ["registry", "npmjs", "org"].join(".");
  const home = ["", "home", "kari", "portvakt"].join("/");
  const cases: readonly [line: string, found: boolean][] = [
    [`"resolved": "https://${host}/jose"`, true],
    [`see ${home}`, true],
    ["import x from './work/main.ts'", false],
    ["https://example.org/home/page", false],
    ["the path /oauth2/login", false],
  ];
  for (const [line, found] of cases) {
    test(JSON.stringify(line.replace(host, "a registry").replace(home, "a path")), () =>
      assert.equal(forbiddenIn(line) !== undefined, found),
    );
  }
});

describe("the lock file", () => {
  const optionalDependencies = { "@x/linux": "1.0.0" };
  test("whole: the optional dependency is there, or further up", () => {
    assert.deepEqual(
      missingFrom({ packages: { "node_modules/x": { optionalDependencies }, "node_modules/@x/linux": {} } }),
      [],
    );
    assert.deepEqual(
      missingFrom({
        packages: {
          "node_modules/a/node_modules/x": { optionalDependencies },
          "node_modules/a/node_modules/@x/linux": {},
        },
      }),
      [],
    );
  });
  test("not whole: it is nowhere, or where Node would not look", () => {
    assert.equal(missingFrom({ packages: { "node_modules/x": { optionalDependencies } } }).length, 1);
    assert.equal(
      missingFrom({
        packages: { "node_modules/x": { optionalDependencies }, "node_modules/b/node_modules/@x/linux": {} },
      }).length,
      1,
    );
  });
});

// The shape of the tree, as design says it: who imports whom, what a room says of itself, who may touch what.
// The rules are in architecture/rules.ts.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  judgeCycles,
  judgeFolders,
  judgeHeaders,
  judgeImports,
  judgeWords,
  roomOf,
} from "./architecture/judge.ts";
import { readSource } from "./architecture/sources.ts";
import type { RoomPackage } from "./architecture/sources.ts";
import { filesOf, textOf } from "./checks/tree.ts";

interface Manifest {
  readonly name: string;
  readonly exports?: Record<string, string>;
}

const paths = (await filesOf("{packages,apps,examples,conformance,bench,chaos,docs,test}/**/*")).toSorted();
const scripts = paths.filter((path) => /\.(?:ts|js|mjs)$/u.test(path));
const sources = await Promise.all(scripts.map(async (path) => readSource(path, await textOf(path))));
const manifests = new Map<string, Manifest>();
for (const path of await filesOf("{{packages,apps,examples}/*,chaos}/package.json")) {
  manifests.set(roomOf(path) ?? "", JSON.parse(await textOf(path)) as Manifest);
}
const packages = new Map<string, RoomPackage>(
  [...manifests].map(([room, { name, exports = {} }]) => [room, { name, exports: Object.keys(exports) }]),
);

/** The files that a room's header stands in: what it exports, or else its main.ts. */
const entries = [...manifests].flatMap(([room, { exports }]) => {
  const targets = exports ? Object.values(exports) : ["./src/main.ts"];
  return targets
    .filter((target) => /(?:index|main)\.ts$/u.test(target))
    .map((target) => `${room}/${target.slice(2)}`);
});

const none = (problems: readonly string[]): void => assert.deepEqual(problems, []);

test("imports follow the table of rooms", () => none(judgeImports(sources, packages)));
test("rooms do not import each other in a circle", () => none(judgeCycles(sources, packages)));
test("environment, clock, randomness, verification and secrets are touched only where they may be", () =>
  none(judgeWords(sources)));
test("every room says what it owns and what it does not", () => none(judgeHeaders(sources, entries)));
test("folders have telling names, few files and little depth", () => none(judgeFolders(paths)));

const known = new Map<string, RoomPackage>([
  ["packages/oauth", { name: "@portvakt/oauth", exports: ["."] }],
  ["packages/policy", { name: "@portvakt/policy", exports: ["."] }],
  ["packages/runtime", { name: "@portvakt/runtime", exports: ["./config", "./http"] }],
  ["packages/sdk", { name: "@portvakt/sdk", exports: ["."] }],
  ["apps/login", { name: "@portvakt/login", exports: ["."] }],
  ["apps/standins", { name: "@portvakt/standins", exports: ["."] }],
]);

describe("the checker of imports", () => {
  const cases: readonly [name: string, path: string, text: string, problem: string | undefined][] = [
    [
      "a package may import oauth",
      "packages/issuer/src/a.ts",
      `import { x } from "@portvakt/oauth";`,
      undefined,
    ],
    [
      "the other way is refused",
      "packages/oauth/src/a.ts",
      `import { x } from "@portvakt/policy";`,
      "may not import packages/policy",
    ],
    [
      "runtime knows no protocol",
      "packages/runtime/src/a.ts",
      `import "@portvakt/oauth";`,
      "may not import packages/oauth",
    ],
    [
      "types of oauth are enough for policy",
      "packages/policy/src/a.ts",
      `import type { X } from "@portvakt/oauth";`,
      undefined,
    ],
    [
      "values of oauth are not for policy",
      "packages/policy/src/a.ts",
      `import { x } from "@portvakt/oauth";`,
      "may not import packages/oauth",
    ],
    [
      "a value beside a type is a value",
      "packages/policy/src/a.ts",
      `import { x, type Y } from "@portvakt/oauth";`,
      "may not import packages/oauth",
    ],
    [
      "an app may not import an app",
      "apps/tokens/src/a.ts",
      `import { x } from "@portvakt/login";`,
      "may not import apps/login",
    ],
    [
      "not even its types",
      "apps/tokens/src/a.ts",
      `import type { X } from "@portvakt/login";`,
      "may not import apps/login",
    ],
    ["the command may", "apps/cli/src/a.ts", `import { x } from "@portvakt/login";`, undefined],
    [
      "nothing that ships imports the stand-ins",
      "apps/login/src/a.ts",
      `export * from "@portvakt/standins";`,
      "may not import apps/standins",
    ],
    [
      "a test may import the stand-ins",
      "apps/login/test/flow.test.ts",
      `import "@portvakt/standins";`,
      undefined,
    ],
    [
      "an example has the SDK only",
      "examples/portal/src/a.ts",
      `import { x } from "@portvakt/oauth";`,
      "may not import packages/oauth",
    ],
    [
      "subpaths that are not exported",
      "apps/login/src/a.ts",
      `import "@portvakt/runtime/src/store";`,
      "is not exported",
    ],
    ["subpaths that are", "apps/login/src/a.ts", `import "@portvakt/runtime/config";`, undefined],
    [
      "a relative way out of the room",
      "apps/login/src/a.ts",
      `import "../../tokens/src/b.ts";`,
      "leaves apps/login",
    ],
    ["a relative way within the room", "apps/login/src/endpoints/a.ts", `import "../b.ts";`, undefined],
    [
      "a dynamic import",
      "apps/tokens/src/a.ts",
      `const m = await import("@portvakt/login");`,
      "may not import apps/login",
    ],
    [
      "a dynamic import put together",
      "apps/tokens/src/a.ts",
      "const m = await import(`@portvakt/${name}`);",
      "cannot be judged",
    ],
    [
      "Node's modules in the protocol",
      "packages/oauth/src/a.ts",
      `import "node:crypto";`,
      "uses nothing of Node's",
    ],
    [
      "a second dependency in the protocol",
      "packages/oauth/src/a.ts",
      `import "hono";`,
      "may not import the package hono",
    ],
    [
      "an import in a comment is none",
      "packages/oauth/src/a.ts",
      `// import "hono";\n/* import "node:fs"; */`,
      undefined,
    ],
    [
      "an import in a string is none",
      "packages/oauth/src/a.ts",
      'export const a = `import "hono";`;',
      undefined,
    ],
    ["a room without a row", "packages/extra/src/a.ts", `import "@portvakt/oauth";`, "has no row"],
  ];
  for (const [name, path, text, problem] of cases) {
    test(name, () => {
      const problems = judgeImports([readSource(path, text)], known);
      if (problem === undefined) return none(problems);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, new RegExp(RegExp.escape(problem), "u"));
    });
  }

  test("a circle of rooms", () => {
    const circle = [
      readSource("packages/oauth/src/a.ts", `import "@portvakt/sdk";`),
      readSource("packages/sdk/src/a.ts", `import "@portvakt/oauth";`),
    ];
    assert.deepEqual(judgeCycles(circle, known), [
      "a cycle: packages/oauth -> packages/sdk -> packages/oauth",
    ]);
  });
});

describe("the checker of words", () => {
  const cases: readonly [name: string, path: string, text: string, refused: boolean][] = [
    ["the environment in an endpoint", "apps/login/src/a.ts", `const a = process.env["A"];`, true],
    ["the environment in main.ts", "apps/login/src/main.ts", `const a = process.env["A"];`, false],
    ["the environment in a comment", "apps/login/src/a.ts", `// never process.env here`, false],
    ["the clock in an endpoint", "apps/login/src/a.ts", `const t = Date.now();`, true],
    ["the clock as a date", "apps/login/src/a.ts", `const t = new Date();`, true],
    ["a date that is given", "apps/login/src/a.ts", `const t = new Date(now() * 1000);`, false],
    ["weak randomness, even in a test", "apps/login/src/a.test.ts", `const r = Math.random();`, true],
    ["TLS without certificates", "apps/login/src/a.ts", `const o = { rejectUnauthorized: false };`, true],
    ["verification outside oauth", "packages/sdk/src/a.ts", `import { jwtVerify } from "jose";`, true],
    [
      "verification in oauth",
      "packages/oauth/src/jwt/verify.ts",
      `import { compactVerify } from "jose";`,
      false,
    ],
    ["a secret compared byte by byte", "apps/tokenx/src/a.ts", `if (client.secret === given) go();`, true],
    [
      "a secret compared with nothing",
      "apps/tokenx/src/a.ts",
      `if (client.secret === undefined) go();`,
      false,
    ],
    ["printing beside the logger", "apps/tokens/src/a.ts", `console.log(token);`, true],
    ["printing in the command", "apps/cli/src/a.ts", `console.log("ready");`, false],
  ];
  for (const [name, path, text, refused] of cases) {
    test(name, () => assert.equal(judgeWords([readSource(path, text)]).length, refused ? 1 : 0));
  }
});

describe("the checker of folders and headers", () => {
  test("a folder whose name says nothing", () =>
    assert.equal(judgeFolders(["apps/login/src/utils/a.ts"]).length, 1));
  test("a folder with sixteen files", () => {
    const sixteen = Array.from({ length: 16 }, (_, nth) => `apps/login/src/${nth}.ts`);
    assert.equal(judgeFolders(sixteen).length, 1);
    none(judgeFolders(sixteen.slice(1)));
  });
  test("a folder too deep", () => assert.equal(judgeFolders(["apps/login/src/a/b/c/d.ts"]).length, 1));
  test("a room without a header", () => {
    const silent = readSource(
      "packages/oauth/src/index.ts",
      `export const a = 1;\n// Owns: late. Does not own: much.`,
    );
    assert.equal(judgeHeaders([silent], ["packages/oauth/src/index.ts"]).length, 1);
    const telling = readSource(
      "packages/oauth/src/index.ts",
      `// Owns: a. Does not own: b.\nexport const a = 1;`,
    );
    none(judgeHeaders([telling], ["packages/oauth/src/index.ts"]));
  });
  test("a room without its entry", () =>
    assert.equal(judgeHeaders([], ["packages/x/src/index.ts"]).length, 1));
});

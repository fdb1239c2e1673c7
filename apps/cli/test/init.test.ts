// `portvakt init` on real applications of Express, Fastify and Hono, as people and generators write them; then, for one, the whole
// platform around it. `npm run build` does the same with applications fresh from the registry, Next.js among them, whose
// route handler is run here as the function that it is.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { newFolder, output, start } from "./harness.ts";

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

interface Application {
  readonly name: string;
  readonly dependency: string;
  readonly type?: "module";
  readonly file: string;
  readonly text: string;
  /** A line of the entry that must still be there, and one that must have come. */
  readonly adds: RegExp;
  /** Its own build, where it is not just a look at the file. */
  readonly build?: string;
}

const applications: readonly Application[] = [
  {
    name: "Express, ES modules",
    dependency: "express",
    type: "module",
    file: "src/server.js",
    text: `import express from "express";

const app = express();
app.use(express.json());

app.get("/", (request, response) => response.send("hello"));
app.listen(process.env.PORT);
`,
    adds: /import \{ callerOf, requireCaller \} from "\.\/auth\.js";\n\nconst app = express\(\);\n\napp\.get\("\/api\/me", requireCaller/,
  },
  {
    name: "Express, CommonJS",
    dependency: "express",
    file: "server.js",
    text: `"use strict";
const express = require("express");
const app = express();
app.get("/", (request, response) => response.send("hello"));
app.listen(process.env.PORT);
`,
    adds: /const \{ callerOf, requireCaller \} = require\("\.\/auth\.js"\);/,
  },
  {
    name: "Express, CommonJS in a package of ES modules",
    dependency: "express",
    type: "module",
    file: "server.cjs",
    text: `const express = require("express");
const app = express();
app.get("/", (request, response) => response.send("hello"));
app.listen(process.env.PORT);
`,
    adds: /const \{ callerOf, requireCaller \} = require\("\.\/auth\.cjs"\);/,
  },
  {
    name: "Fastify, TypeScript",
    dependency: "fastify",
    type: "module",
    file: "src/main.ts",
    text: `import Fastify from "fastify";

export const app = Fastify({
  logger: false,
  bodyLimit: 1024,
});

app.get("/", async () => "hello");
await app.listen({ port: Number(process.env["PORT"]) });
`,
    adds: /\}\);\n\napp\.get\("\/api\/me", \{ onRequest: requireCaller \}/,
  },
  {
    name: "Hono, ES modules",
    dependency: "hono",
    type: "module",
    file: "src/index.mjs",
    text: `import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.text("hello"));
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
`,
    adds: /import \{ callerOf, requireCaller \} from "\.\/auth\.mjs";/,
  },
];

async function project({ dependency, type, file, text, build }: Application): Promise<string> {
  const manifest = {
    name: "@team/Guest_Book",
    ...(type === undefined ? {} : { type }),
    scripts: { start: `node ${file}`, build: build ?? `node --check ${file}` },
    dependencies: { [dependency]: "*" },
  };
  return await withFiles({
    [file]: text,
    "package.json": `${JSON.stringify(manifest, null, 4)}\n`,
  });
}

/** A folder with these files, in which everything is installed that the repository has. */
async function withFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await newFolder();
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await symlink(modules, join(folder, "node_modules"));
  return folder;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Starts the application on a free port, asks it once, and ends it. */
async function ask(folder: string, file: string, path: string): Promise<number> {
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { PATH: process.env["PATH"], PORT: String(port) },
  });
  try {
    for (;;) {
      const response = await fetch(`http://localhost:${port}${path}`).catch(() => undefined);
      if (response !== undefined) return response.status;
      assert.equal(child.exitCode, null, "it runs");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

describe("init", { timeout: 120_000 }, () => {
  for (const application of applications) {
    test(application.name, async () => {
      const folder = await project(application);
      const shown = await output(["init", "--namespace", "team-a"], folder);
      assert.equal(shown.code, 0, shown.err);
      assert.match(shown.out, /--- \/dev\/null\n\+\+\+ \.nais\/app\.yaml/);
      assert.match(shown.out, /\+ {2}name: guest-book\n\+ {2}namespace: team-a/);
      assert.match(shown.err, /Nothing was written/);
      assert.equal(await readFile(join(folder, application.file), "utf8"), application.text);

      const done = await output(["init", "--namespace", "team-a", "--yes"], folder);
      assert.equal(done.code, 0, `${done.out}${done.err}`);
      assert.match(done.err, /> npm run build[\s\S]*> npm run test:auth[\s\S]*Written, built and tested/);
      const entry = await readFile(join(folder, application.file), "utf8");
      assert.match(entry, application.adds);
      const written = await readFile(join(folder, "package.json"), "utf8");
      assert.match(written, /\n {4}"name"/, "the indentation stays");
      assert.equal(await ask(folder, application.file, "/api/me"), 401);
      assert.equal(await ask(folder, application.file, "/"), 200);

      const again = await output(["init", "--yes"], folder);
      assert.equal(again.code, 1);
      assert.match(again.err, /this application has @portvakt\/sdk already/);
      const { code, err } = await output(["can", "local:a:b", "guest-book"], folder);
      assert.equal(code, 1, err);
    });
  }

  test("Next.js: a route handler of its own, beside the other routes", async () => {
    const folder = await withFiles({
      "src/app/page.tsx": "export default function Page() {\n  return <p>hello</p>;\n}\n",
      "package.json": '{ "name": "site", "type": "module", "dependencies": { "next": "16" } }\n',
    });
    const { code, out, err } = await output(["init", "--yes"], folder);
    assert.equal(code, 0, err);
    assert.match(out, /\+\+\+ src\/app\/api\/me\/route\.ts/);
    assert.match(err, /Written, built and tested/);
  });

  test("Fastify, with a manifest and a folder of routes: nothing that is there is touched", async () => {
    const manifest = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: a, namespace: b }\n";
    const folder = await withFiles({
      "nais.yaml": manifest,
      "app.js": "module.exports = async function (fastify) {}\n",
      "routes/root.js": "'use strict'\n\nmodule.exports = async function (fastify, opts) {}\n",
      "package.json": '{ "name": "site", "dependencies": { "fastify": "5" } }\n',
      "pnpm-lock.yaml": "",
    });
    const { code, out, err } = await output(["init", "--json"], folder);
    assert.equal(code, 0, err);
    assert.deepEqual(JSON.parse(out), {
      framework: "Fastify",
      files: [
        { file: "auth.js", isNew: true },
        { file: "routes/api/me/index.js", isNew: true },
        { file: "test/auth.test.mjs", isNew: true },
        { file: "package.json", isNew: false },
      ],
    });
    const shown = await output(["init", "--sdk", "../sdk-1.tgz"], folder);
    assert.match(
      shown.out,
      /\+const \{ callerOf, requireCaller \} = require\("\.\.\/\.\.\/\.\.\/auth\.js"\);/,
    );
    assert.match(shown.out, /"dev:platform": "portvakt dev -f nais\.yaml -- pnpm run start"/);
    assert.match(shown.out, /"@portvakt\/sdk": "file:\.\.\/sdk-1\.tgz"/);
  });

  test("Hono in TypeScript that is compiled: imports as its compiler wants them, and no fixed port", async () => {
    const folder = await withFiles({
      "src/index.ts":
        "import { serve } from '@hono/node-server'\nimport { Hono } from 'hono'\n\nconst app = new Hono()\n\nserve({\n  fetch: app.fetch,\n  port: 3000\n})\n",
      "tsconfig.json": '{ "compilerOptions": { "module": "NodeNext", "outDir": "dist" } }\n',
      "package.json":
        '{ "type": "module", "dependencies": { "hono": "4" }, "devDependencies": { "tsx": "4" } }\n',
    });
    const { out, err, code } = await output(["init"], folder);
    assert.equal(code, 0, err);
    assert.match(out, /\+import \{ callerOf, requireCaller \} from "\.\/auth\.js";/);
    assert.match(out, /- {2}port: 3000\n\+ {2}port: Number\(process\.env\["PORT"\] \?\? 3000\)\n/);
    assert.match(out, /"test:auth": "node --import tsx --test test\/auth\.test\.mjs"/);
    assert.match(
      out,
      /"dev:platform": "portvakt dev -f \.nais\/app\.yaml -- node --import tsx src\/index\.ts"/,
    );
  });

  test("a build that fails and a package that is not there are said, with what was written", async () => {
    const [express] = applications;
    assert.ok(express);
    const broken = await project({ ...express, build: "false" });
    const build = await output(["init", "--yes"], broken);
    assert.equal(build.code, 1);
    assert.match(
      build.err,
      /npm run build failed after the change\nhint: what was added is in the diff above/,
    );

    const folder = await project(express);
    await rm(join(folder, "node_modules"));
    const missing = await output(["init", "--yes", "--sdk", "missing.tgz"], folder, {
      npm_config_offline: "true",
    });
    assert.equal(missing.code, 1);
    assert.match(
      missing.err,
      /`npm install` failed, and everything is as it was before\nhint: a clone of Portvakt packs/,
    );
    assert.deepEqual((await readdir(folder)).toSorted(), ["package.json", "src"]);
    assert.equal(await readFile(join(folder, express.file), "utf8"), express.text);
    assert.doesNotMatch(await readFile(join(folder, "package.json"), "utf8"), /portvakt/);
  });

  const refusals: { name: string; files: Record<string, string>; code: number; says: RegExp }[] = [
    { name: "no package.json", files: {}, code: 2, says: /there is no package\.json here/ },
    {
      name: "an unknown framework",
      files: { "package.json": '{"dependencies":{"koa":"3"}}' },
      code: 1,
      says: /none of Next\.js, Express, Fastify, Hono is among the dependencies/,
    },
    {
      name: "no application in sight",
      files: { "package.json": '{"dependencies":{"express":"5"}}' },
      code: 1,
      says: /no file here makes an application of Express/,
    },
    {
      name: "Next.js without an app folder",
      files: { "package.json": '{"dependencies":{"next":"16"}}' },
      code: 1,
      says: /there is no app folder here, where Next\.js looks for routes/,
    },
    { name: "a broken package.json", files: { "package.json": "{" }, code: 2, says: /is no valid JSON/ },
    {
      name: "a package.json of nothing",
      files: { "package.json": "null" },
      code: 2,
      says: /is no JSON object/,
    },
    {
      name: "a file in the way",
      files: {
        "package.json": '{"type":"module","dependencies":{"express":"5"}}',
        "server.js": "const app = express();\n",
        "auth.js": "mine\n",
      },
      code: 1,
      says: /auth\.js is there already, and nothing is overwritten/,
    },
  ];
  for (const { name, files, code, says } of refusals) {
    test(name, async () => {
      const folder = await newFolder();
      for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
      const result = await output(["init", "--yes"], folder);
      assert.equal(result.code, code, result.err);
      assert.match(result.err, says);
    });
  }

  for (const option of ["--namespace", "--team"])
    test(`${option} is a name, not YAML`, async () => {
      const [express] = applications;
      assert.ok(express);
      const folder = await project(express);
      const { code, err } = await output(["init", option, "bad: {x"], folder);
      assert.equal(code, 2);
      assert.match(err, new RegExp(`${option} wants lower-case letters`));
    });

  test("the platform around it: a token that the policy allows opens /api/me, and none does not", async () => {
    const [express] = applications;
    assert.ok(express);
    const folder = await project(express);
    const done = await output(["init", "--namespace", "team-a", "--yes"], folder);
    assert.equal(done.code, 0, done.err);
    const manifest = join(folder, ".nais", "app.yaml");
    const text = await readFile(manifest, "utf8");
    await writeFile(manifest, text.replace("rules: []", "rules:\n        - application: front"));
    await writeFile(
      join(folder, "front.yaml"),
      "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: front, namespace: team-a }\nspec:\n  idporten: { enabled: true, sidecar: { enabled: true } }\n  tokenx: { enabled: true }\n",
    );
    const command = ["-f", ".nais/app.yaml", "-f", "front.yaml", "--", "npm", "run", "start"];
    const { dev, state } = await start(folder, command);
    const token = await output(
      ["token", "-q", "--as", "front", "--to", "guest-book", "--user", "ola"],
      folder,
    );
    assert.equal(token.code, 0, token.err);
    const url = `${state.applications["guest-book"]?.url ?? ""}/api/me`;
    assert.equal((await fetch(url)).status, 401);
    const response = await fetch(url, { headers: { authorization: `Bearer ${token.out.trim()}` } });
    const me = (await response.json()) as { client: string; user: string };
    assert.equal(me.client, "local:team-a:front");
    assert.ok(me.user.length > 10);
    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  });
});

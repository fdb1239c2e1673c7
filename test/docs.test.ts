// What the documents say is true: their TypeScript compiles, their manifests are read without a problem, their
// commands are run against the demo platform.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { generatePrivateJwk, publicJwkOf } from "@portvakt/oauth";
import { parseManifests } from "@portvakt/policy";
import { parse as parseYaml } from "yaml";
import { startDemo } from "./demo/platform.ts";
import type { Demo } from "./demo/platform.ts";

const root = resolve(import.meta.dirname, "..");

interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

async function blocksOf(file: string): Promise<Block[]> {
  const text = await readFile(join(root, file), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gmsu)].map(({ index, 1: language = "", 2: body = "" }) => ({
    file,
    line: text.slice(0, index).split("\n").length,
    language,
    text: body,
  }));
}

const files = ["README.md", ...globSync("docs/**/*.md", { cwd: root })].toSorted();
const blocks = (await Promise.all(files.map(blocksOf))).flat();
const written = (language: string): readonly Block[] => blocks.filter((block) => block.language === language);

test("there is something to check in each language", () => {
  for (const language of ["ts", "yaml", "sh"]) assert.ok(written(language).length >= 2, language);
});

test("the TypeScript in the documents compiles", async () => {
  const folder = join(root, ".cache/documents");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { file, line, text } of written("ts")) {
    await writeFile(join(folder, `${file.replaceAll(/\W/gu, "-")}-${line}.ts`), text);
  }
  await writeFile(join(folder, "tsconfig.json"), '{ "extends": "../../tsconfig.json", "include": ["*.ts"] }');
  const { status, stdout } = spawnSync("tsc", ["--noEmit", "-p", folder], { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

describe("the manifests in the documents are read without a problem", () => {
  for (const { file, line, text } of written("yaml")) {
    test(`${file}:${line}`, () => {
      const whole = text.startsWith("spec:")
        ? `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: sample, namespace: benefits }\n${text}`
        : text;
      const { applications, problems } = parseManifests([{ file, text: whole }], { cluster: "local" });
      assert.deepEqual(problems, []);
      assert.equal(applications.length, 1);
    });
  }
});

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

/** What the Secrets hold, by the end of the variable's name. */
const secrets: readonly (readonly [RegExp, () => string | Promise<string>])[] = [
  [/_(?:ENCRYPTION|SEAL)_KEYS$/u, () => randomBytes(32).toString("base64")],
  [/_REDIS_URI$/u, () => "rediss://redis.example:6379"],
  [/_DATABASE_URL$/u, () => "postgres://tokenx:secret@postgres.example/tokenx"],
  [/_JWKS$/u, async () => JSON.stringify({ keys: [publicJwkOf(await generatePrivateJwk("RS256"))] })],
  [/_JWK$/u, async () => JSON.stringify(await generatePrivateJwk("RS256"))],
  [/_CLIENT_ID$/u, () => "prod:benefits:portal"],
];

describe("the Kubernetes manifests start what they say, with settings that are right", () => {
  for (const file of globSync("docs/kubernetes/*.yaml", { cwd: root }).toSorted()) {
    test(file, async () => {
      const { spec } = parseYaml(await readFile(join(root, file), "utf8")).spec.template as {
        spec: { initContainers?: Container[]; containers: Container[] };
      };
      const ours = [...(spec.initContainers ?? []), ...spec.containers].find(
        ({ args }) => args !== undefined,
      );
      assert.ok(ours?.args);
      const env: Record<string, string> = {};
      for (const { name, value } of ours.env) {
        const secret = secrets.find(([pattern]) => pattern.test(name));
        env[name] = value ?? (await secret?.[1]()) ?? assert.fail(`${name} has no value`);
      }
      const command = [join(root, "apps/cli/bin/portvakt.js"), ...ours.args];
      const run = (flag: string) =>
        spawnSync(process.execPath, [...command, flag], {
          encoding: "utf8",
          env: { ...env, PATH: process.env["PATH"] },
        });
      const { status, stderr, stdout } = run("--check-config");
      assert.equal(status, 0, `${stdout}${stderr}`);
      const shown = run("--print-config").stdout;
      const { NODE_OPTIONS: _nodes, ...settings } = env;
      for (const name of Object.keys(settings)) assert.ok(shown.includes(name), `${name} is no setting`);
      for (const { name, containerPort } of ours.ports)
        assert.ok(Object.values(env).includes(`0.0.0.0:${containerPort}`), `nobody listens on ${name}`);
    });
  }
});

test("the operator's guide names settings, metrics and files that are there", async () => {
  const text = await readFile(join(root, "docs/production.md"), "utf8");
  const settings = await readFile(join(root, "docs/settings.md"), "utf8");
  const metrics = await readFile(join(root, "docs/observability.md"), "utf8");
  const named = [...text.matchAll(/\bPORTVAKT_[A-Z_]+[A-Z]|\bportvakt_[a-z_]+[a-z]/gu)].map(([name]) => name);
  assert.ok(named.length > 10);
  for (const name of named)
    assert.ok(settings.includes(`\`${name}\``) || metrics.includes(`\`${name}\``), name);
});

test("the README sets an application up as it says", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-readme-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const block = written("sh").find(
    ({ file, text }) => file === "README.md" && text.includes("portvakt init"),
  );
  assert.ok(block);
  const manifest = { name: "guest-book", type: "module", dependencies: { hono: "4" } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "app.js"), 'import { Hono } from "hono";\nexport const app = new Hono();\n');
  // what a registry would bring
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const prefix = join(folder, "global");
  const { status, stdout, stderr } = spawnSync("sh", ["-e", "-c", block.text], {
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${join(prefix, "bin")}:${process.env["PATH"]}`,
      npm_config_prefix: prefix,
      portvakt: root,
      application: folder,
    },
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.match(stderr, /Written, built and tested/);
  assert.match(await readFile(join(folder, "app.js"), "utf8"), /requireCaller/);
});

/** Who runs the commands of a guide, and with whose token. */
const commands: Readonly<Record<string, { as: string; token?: Record<string, unknown>; expect: RegExp }>> = {
  "2.1-call-for-a-citizen.md": {
    as: "portal",
    token: { provider: "idporten", persona: "kari" },
    expect: /"access_token":"ey/u,
  },
  "2.2-call-for-an-employee.md": {
    as: "caseworker",
    token: { provider: "entra", persona: "anna" },
    expect: /"access_token":"ey/u,
  },
  "3.1-call-as-yourself.md": { as: "payout-job", expect: /"access_token":"ey/u },
  "3.2-call-another-organisation.md": { as: "payout-job", expect: /"access_token":"ey/u },
  "4-validate-whoever-calls.md": {
    as: "application-api",
    token: { provider: "idporten", persona: "kari" },
    expect: /"active":false,"error":"/u,
  },
};

describe("the commands in the guides, run beside an application of the demo", () => {
  let demo: Demo;
  before(async () => {
    demo = await startDemo();
  });
  after(async () => {
    await demo.interrupt();
  });

  for (const { file, line, text } of written("sh").filter((block) =>
    block.file.startsWith("docs/journeys/"),
  )) {
    test(`${file}:${line}`, async () => {
      const { as, token, expect } =
        commands[file.replace("docs/journeys/", "")] ?? assert.fail(`nobody runs ${file}`);
      const application = demo.state.applications[as] ?? assert.fail(`there is no ${as}`);
      const provider = String(token?.["provider"]);
      const subject =
        token === undefined ? "" : await issue(demo, { ...token, client_id: application.clients[provider] });
      const endpoint = `${application.tokens}/api/v1`;
      const { stdout, stderr } = spawnSync("sh", ["-c", text.replace('"…"', `"${subject}"`)], {
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"],
          NAIS_TOKEN_ENDPOINT: `${endpoint}/token`,
          NAIS_TOKEN_EXCHANGE_ENDPOINT: `${endpoint}/token/exchange`,
          NAIS_TOKEN_INTROSPECTION_ENDPOINT: `${endpoint}/introspect`,
        },
      });
      assert.match(stdout, expect, stderr);
    });
  }
});

async function issue(demo: Demo, order: Record<string, unknown>): Promise<string> {
  const response = await fetch(`${demo.state.control}/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
  });
  const { token } = (await response.json()) as { token?: string };
  return token ?? assert.fail(`no token for ${JSON.stringify(order)}`);
}

// What the documents say is true: their TypeScript compiles, their manifests are read without a problem, their
// commands are run against the demo platform.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseManifests } from "@portvakt/policy";
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

// `portvakt apply` and `keys` against a TokenX on a PostgreSQL database of its own: what they write is what TokenX then takes.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import {
  createSigner,
  generatePrivateJwk,
  peekJwt,
  privateKeyJwt,
  publicJwkOf,
  type JWK,
} from "@portvakt/oauth";
import { Secret } from "@portvakt/runtime/observe";
import { openSqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import { parse } from "yaml";
import { newFolder, output, portvakt, said } from "./harness.ts";

const manifests = fileURLToPath(new URL("manifests/", import.meta.url));
const now = (): number => Date.now() / 1000;

async function freshDatabase(): Promise<string> {
  const given = process.env["PORTVAKT_TEST_POSTGRES_URL"];
  assert.ok(
    given,
    "PORTVAKT_TEST_POSTGRES_URL is not set: run `npm test`, or name a PostgreSQL server in it",
  );
  const name = `cli_${randomUUID().replaceAll("-", "")}`;
  const db = await openSqlDatabase<object>({ url: new Secret(given) });
  await sql`create database ${sql.raw(name)}`.execute(db.query);
  await db.close();
  return Object.assign(new URL(given), { pathname: `/${name}` }).href;
}

interface Place {
  readonly folder: string;
  readonly url: string;
  /** The registrar, as the command's environment. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A TokenX of the command's own, on PostgreSQL. */
async function place(): Promise<Place> {
  const folder = await newFolder();
  await cp(manifests, folder, { recursive: true });
  const registrar = { ...(await generatePrivateJwk("ES256")), alg: "ES256" };
  const tokenx = portvakt(["tokenx"], folder, {
    PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENX_DATABASE_URL: await freshDatabase(),
    PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64"),
    AUTH_CLIENT_ID: "registrar-of-the-test",
    AUTH_CLIENT_JWKS: JSON.stringify({ keys: [publicJwkOf(registrar)] }),
  });
  let log = "";
  tokenx.stdout?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  await said(tokenx, "stdout", '"msg":"listening"');
  const line = log.split("\n").find((one) => one.includes('"msg":"listening"')) ?? "{}";
  const { addresses } = JSON.parse(line) as { addresses: Record<string, string> };
  const url = Object.entries(addresses).find(([name]) => name !== "status")?.[1] ?? "";
  return {
    folder,
    url,
    env: {
      PORTVAKT_REGISTRAR_ID: "registrar-of-the-test",
      PORTVAKT_REGISTRAR_JWK: JSON.stringify(registrar),
    },
    stop: async () => {
      tokenx.kill("SIGTERM");
      await once(tokenx, "exit");
    },
  };
}

/** Does TokenX take an assertion signed with this key? Then what it objects to is the subject token. */
async function isKnown(credentials: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  const {
    TOKEN_X_CLIENT_ID: clientId = "",
    TOKEN_X_PRIVATE_JWK: jwk = "",
    TOKEN_X_ISSUER: audience = "",
  } = credentials;
  const params = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    subject_token: "none",
    audience: "local:benefits:api",
  });
  const signer = await createSigner(JSON.parse(jwk) as JWK);
  await privateKeyJwt({ clientId, signer, audience, now })({ params, headers: new Headers() });
  const response = await fetch(credentials["TOKEN_X_TOKEN_ENDPOINT"] ?? "", { method: "POST", body: params });
  const { error } = (await response.json()) as { error: string };
  assert.ok(error === "invalid_request" || error === "invalid_client", error);
  return error === "invalid_request";
}

describe("apply, on PostgreSQL", { timeout: 120_000 }, () => {
  test("registers, writes env files and Kubernetes Secrets, refuses losses, rotates with the old key kept", async () => {
    const { folder, url, env, stop } = await place();
    const run = (...args: string[]) => output(args, folder, env);

    const first = await run("apply", "-f", "today", "--tokenx", url);
    assert.equal(first.code, 0, first.err);
    assert.match(first.err, /\+ local:benefits:portal -> local:benefits:api {2}on behalf of a citizen/);
    assert.match(first.out, /2 registered with TokenX/);
    const envFile = join(folder, ".portvakt", "credentials", "local.benefits.portal.env");
    assert.equal(statSync(envFile).mode & 0o777, 0o600);
    const credentials = parseEnv(readFileSync(envFile, "utf8"));
    assert.equal(credentials["TOKEN_X_CLIENT_ID"], "local:benefits:portal");
    assert.ok(await isKnown(credentials));

    const again = await run("plan", "-f", "today", "--against", url);
    assert.deepEqual([again.code, again.out], [0, "Nobody gains access, and nobody loses it.\n"]);

    const refused = await run("apply", "-f", "tomorrow", "--tokenx", url);
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /nothing was applied: local:benefits:portal would lose access to local:benefits:api/,
    );
    assert.match(refused.err, /hint: apply with --yes/);

    const secret = await run(
      "apply",
      "-f",
      "today",
      "--tokenx",
      url,
      "--format",
      "secret",
      "-o",
      "secrets",
      "--json",
    );
    assert.equal(secret.code, 0, secret.err);
    const { applied } = JSON.parse(secret.out) as {
      applied: { application: string; file: string; keys: string[] }[];
    };
    const api = applied.find(({ application }) => application === "local:benefits:api");
    assert.ok(api);
    const { apiVersion, kind, metadata, type, stringData } = parse(await readFile(api.file, "utf8")) as {
      apiVersion: string;
      kind: string;
      metadata: { name: string; namespace: string };
      type: string;
      stringData: Record<string, string>;
    };
    assert.deepEqual([apiVersion, kind, type], ["v1", "Secret", "Opaque"]);
    assert.deepEqual([metadata.name, metadata.namespace], ["portvakt-tokenx-api", "benefits"]);
    assert.ok(await isKnown(stringData), "the Secret that was parsed back is TokenX's client");

    const rotated = await run("keys", "rotate", "portal", "-f", "today", "--tokenx", url);
    assert.equal(rotated.code, 0, rotated.err);
    assert.match(rotated.out, /1 old key kept/);
    const renewed = parseEnv(readFileSync(envFile, "utf8"));
    assert.notEqual(renewed["TOKEN_X_PRIVATE_JWK"], credentials["TOKEN_X_PRIVATE_JWK"]);
    assert.deepEqual(
      [await isKnown(renewed), await isKnown(credentials)],
      [true, true],
      "both keys are taken",
    );
    const listed = await run("keys", "list", "--json");
    const portal = (JSON.parse(listed.out) as { application: string; keys: unknown[] }[]).find(
      ({ application }) => application === "local:benefits:portal",
    );
    assert.equal(portal?.keys.length, 2);
    assert.ok(!listed.out.includes('"d"'), "no private key is shown");

    const dropped = await run("apply", "-f", "today", "--tokenx", url, "--keep", "0s");
    assert.equal(dropped.code, 0, dropped.err);
    assert.deepEqual(
      [await isKnown(renewed), await isKnown(credentials)],
      [true, false],
      "the old one is gone",
    );

    const stranger = await output(["apply", "-f", "today", "--tokenx", url], folder, {
      PORTVAKT_REGISTRAR_ID: "registrar-of-the-test",
      PORTVAKT_REGISTRAR_JWK: JSON.stringify(await generatePrivateJwk("ES256")),
    });
    assert.equal(stranger.code, 3);
    assert.match(stranger.err, /refused: 401 invalid_token/);
    for (const { out, err } of [first, refused, secret, rotated, stranger])
      assert.ok(
        !`${out}${err}`.split(/\s/).some((word) => peekJwt(word) !== undefined),
        "no token is printed",
      );
    await stop();
  });

  test("manifests without TokenX register nothing", async () => {
    const { folder, url, env, stop } = await place();
    await writeFile(
      join(folder, "one.yaml"),
      "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: one, namespace: n }\nspec: {}\n",
    );
    const { code, out } = await output(["apply", "-f", "one.yaml", "--tokenx", url], folder, env);
    assert.equal(code, 0);
    assert.match(out, /No application here uses TokenX/);
    await stop();
  });
});

// What the verbs that talk to a TokenX do when it answers badly, fails half-way, or knows keys that are not here.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json as jsonOf } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { generatePrivateJwk, peekJwt } from "@portvakt/oauth";
import { lockFolder } from "../src/apply/lock.ts";
import { newFolder, output } from "./harness.ts";

interface Client {
  readonly client_id: string;
  readonly jwks: { readonly keys: readonly { readonly kid: string }[] };
  readonly software_statement: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const clients = new Map<string, Client>();
/** What stands between the registry and whoever asks it; tests change it. */
const fault: { answer: Answer | undefined; failsAt: number } = { answer: undefined, failsAt: Infinity };
let asked = 0;
let url = "";
let env: Readonly<Record<string, string>> = {};

/** A registry as TokenX has one, which takes everybody at their word. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  asked += 1;
  if (fault.answer !== undefined) return fault.answer(request, response);
  const send = (body: unknown, status = 200): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  if (request.method === "GET" && request.url?.startsWith("/.well-known/") === true)
    return send({ issuer: url, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks` });
  if (request.method === "GET") return send([...clients.values()]);
  if (request.method === "DELETE") {
    clients.delete(decodeURIComponent(request.url?.split("/").at(-1) ?? ""));
    return void response.writeHead(204).end();
  }
  const wire = (await jsonOf(request)) as Omit<Client, "client_id"> & { client_name: string };
  if (clients.size + 1 >= fault.failsAt && !clients.has(wire.client_name))
    return send({ error: "temporarily_unavailable", error_description: "the database is away" }, 503);
  clients.set(wire.client_name, { client_id: wire.client_name, ...wire });
  return send({}, 201);
}

const server = createServer((request, response) => void answer(request, response));

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  env = {
    PORTVAKT_REGISTRAR_ID: "r",
    PORTVAKT_REGISTRAR_JWK: JSON.stringify(await generatePrivateJwk("ES256")),
  };
});
after(() => {
  server.closeAllConnections();
  server.close();
});

function manifest(name: string, rules = "[]", tokenx = true): string {
  return [
    "apiVersion: nais.io/v1alpha1",
    "kind: Application",
    `metadata: { name: ${name}, namespace: n }`,
    `spec: { tokenx: { enabled: ${tokenx} }, accessPolicy: { inbound: { rules: ${rules} } } }`,
    "",
  ].join("\n");
}

/** A folder with these applications, and the command in it. */
async function project(...documents: readonly string[]): Promise<{
  folder: string;
  write: (...documents: readonly string[]) => Promise<void>;
  run: (...args: readonly string[]) => ReturnType<typeof output>;
}> {
  const folder = await newFolder();
  clients.clear();
  fault.answer = undefined;
  fault.failsAt = Infinity;
  const write = async (...all: readonly string[]): Promise<void> =>
    await writeFile(join(folder, "app.yaml"), all.join("---\n"));
  await write(...documents);
  const run = async (...args: readonly string[]): ReturnType<typeof output> => {
    asked = 0;
    return await output([...args, "--tokenx", url], folder, env);
  };
  return { folder, write, run };
}

const keysOf = (id: string): string[] => clients.get(id)?.jwks.keys.map(({ kid }) => kid) ?? [];

describe("apply and keys", { timeout: 120_000 }, () => {
  test("keys at TokenX that are not kept here stay, unless they are to be replaced", async () => {
    const { folder, run } = await project(manifest("one"), manifest("two"));
    assert.equal((await run("apply")).code, 0);
    const before = [...keysOf("local:n:one"), ...keysOf("local:n:two")];
    for (const verb of [["apply"], ["apply", "--yes"], ["keys", "rotate"]]) {
      const refused = await run(...verb, "--keys", "elsewhere");
      assert.equal(refused.code, 1, refused.err);
      assert.match(
        refused.err,
        /nothing was applied: TokenX has keys of local:n:one, local:n:two that are not in /,
      );
      assert.match(refused.err, /hint: name the folder that they are kept in with --keys/);
      assert.match(refused.err, /hint: --replace-keys puts new ones in their place/);
      assert.deepEqual([...keysOf("local:n:one"), ...keysOf("local:n:two")], before);
    }
    assert.equal((await run("apply")).code, 0, "where the keys are, nothing is in the way");
    const replaced = await run("apply", "--keys", "elsewhere", "--replace-keys");
    assert.equal(replaced.code, 0, replaced.err);
    assert.ok(!before.includes(keysOf("local:n:one")[0] ?? ""));
    assert.equal(await readFile(join(folder, "elsewhere", ".gitignore"), "utf8"), "*\n");
    assert.equal(await readFile(join(folder, ".portvakt", ".gitignore"), "utf8"), "*\n");
  });

  test("a registration that failed while an old key ran out does not make that key a stranger", async () => {
    const { run } = await project(manifest("one"));
    assert.equal((await run("apply")).code, 0);
    assert.equal((await run("keys", "rotate")).code, 0);
    assert.equal(keysOf("local:n:one").length, 2);
    fault.answer = (request, response) => {
      fault.answer = request.method === "POST" ? undefined : fault.answer;
      if (request.method === "POST") response.writeHead(503).end();
      else void passOn(request, response);
    };
    assert.equal((await run("apply", "--keep", "0s")).code, 3);
    const again = await run("apply", "--keep", "0s");
    assert.equal(again.code, 0, again.err);
    assert.equal(keysOf("local:n:one").length, 1);
  });

  test("half-way: what is done is named, and what to do; the same again goes on from there", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const { run } = await project(...names.map((name) => manifest(name)));
    fault.failsAt = 4;
    const broken = await run("apply", "--json");
    assert.equal(broken.code, 3);
    assert.match(
      broken.err,
      /local:n:d was not applied, number 4 of 8: .*503 temporarily_unavailable: the database/,
    );
    assert.match(broken.err, /hint: applied before it: local:n:a, local:n:b, local:n:c\n/);
    assert.match(broken.err, /hint: do the same again once that is mended/);
    const { applied } = JSON.parse(broken.out) as { applied: { application: string }[] };
    assert.equal(applied.length, 3);
    const done = keysOf("local:n:a");
    fault.failsAt = Infinity;
    assert.equal((await run("apply")).code, 0);
    assert.equal(clients.size, 8);
    assert.deepEqual(keysOf("local:n:a"), done);
  });

  test("while another is at work on the same keys, nothing is done", async () => {
    const { folder, run } = await project(manifest("one"));
    const keys = join(folder, ".portvakt", "client-keys");
    await mkdir(keys, { recursive: true });
    const lock = lockFolder(keys);
    for (const verb of [["apply"], ["keys", "rotate"]]) {
      const refused = await run(...verb);
      assert.equal(refused.code, 3);
      assert.match(
        refused.err,
        /another portvakt is at work on the keys in .*\nhint: try again when it is done\n$/,
      );
      assert.deepEqual([asked, clients.size], [0, 0]);
    }
    lock[Symbol.dispose]();
    assert.equal((await run("apply")).code, 0);
  });

  test("two at once: one of them does it, or the one after the other; the keys here are those at TokenX", async () => {
    const { folder, run } = await project(...["a", "b", "c", "d"].map((name) => manifest(name)));
    const both = await Promise.all([run("keys", "rotate"), run("keys", "rotate")]);
    assert.ok(both.some(({ code }) => code === 0));
    for (const { code, err } of both) assert.ok(code === 0 || /another portvakt/.test(err), err);
    for (const name of ["a", "b", "c", "d"]) {
      const text = await readFile(join(folder, ".portvakt", "client-keys", `local.n.${name}.json`), "utf8");
      const { keys } = JSON.parse(text) as { keys: { jwk: { kid: string } }[] };
      assert.deepEqual(
        keys.map(({ jwk }) => jwk.kid),
        keysOf(`local:n:${name}`),
      );
    }
  });

  test("a loss is JSON too, with exit code 1", async () => {
    const { run, write } = await project(manifest("one", "[{ application: two }]"), manifest("two"));
    assert.equal((await run("apply")).code, 0);
    await write(manifest("one"), manifest("two"));
    const refused = await run("apply", "--json");
    assert.equal(refused.code, 1);
    const { changes, applied } = JSON.parse(refused.out) as {
      changes: { access: object[] };
      applied: object[];
    };
    assert.deepEqual([changes.access.length, applied], [1, []]);
  });

  test("an application that uses TokenX no longer is taken out, as plan said; others stay", async () => {
    const { run, write } = await project(manifest("one"), manifest("two"), manifest("three"));
    assert.equal((await run("apply")).code, 0);
    await write(manifest("one"), manifest("two", "[]", false));
    const { code, out, err } = await run("apply");
    assert.equal(code, 0, err);
    assert.match(err, /^- local:n:two is gone\n/);
    assert.match(out, /^local:n:two is registered no longer\.\n/);
    assert.deepEqual([...clients.keys()].toSorted(), ["local:n:one", "local:n:three"]);
  });

  test("a rule with a * that goes is a loss", async () => {
    const { run, write } = await project(manifest("one", "[{ application: '*', namespace: partners }]"));
    assert.equal((await run("apply")).code, 0);
    await write(manifest("one"));
    const refused = await run("apply");
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /nothing was applied: every application in namespace partners of cluster local would lose access to local:n:one/,
    );
  });
});

async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const held = fault.answer;
  fault.answer = undefined;
  await answer(request, response);
  fault.answer = held;
}

describe("before TokenX is asked anything", { timeout: 120_000 }, () => {
  const mistakes: { args: readonly string[]; says: RegExp; code: number }[] = [
    { args: ["--format", "zip"], says: /--format wants one of env, secret, not zip/, code: 2 },
    { args: ["--keep", "1x"], says: /--keep wants a duration such as 7d or 12h, not 1x/, code: 2 },
    {
      args: ["-o", "app.yaml"],
      says: /--output wants a folder to write to, which .*app\.yaml is not/,
      code: 2,
    },
    {
      args: ["--keys", "app.yaml"],
      says: /--keys wants a folder to write to, which .*app\.yaml is not/,
      code: 2,
    },
    { args: ["-o", "app.yaml/x"], says: /--output wants a folder to write to/, code: 2 },
  ];
  for (const { args, says, code } of mistakes) {
    for (const verb of [["apply"], ["keys", "rotate"]]) {
      test(`${verb.join(" ")} ${args.join(" ")}`, async () => {
        const { folder, run } = await project(manifest("one"));
        const refused = await run(...verb, ...args);
        assert.match(refused.err, says);
        assert.deepEqual([refused.code, refused.out, asked], [code, "", 0]);
        assert.ok((await stat(join(folder, "app.yaml"))).isFile());
      });
    }
  }
});

describe("an answer that is no TokenX's is one sentence", { timeout: 120_000 }, () => {
  const answers: { name: string; answer: Answer; says: RegExp }[] = [
    {
      name: "a page for people",
      answer: (_request, response) =>
        void response.writeHead(200, { "content-type": "text/html" }).end("<html><h1>Welcome</h1></html>"),
      says: /does not answer as a TokenX does/,
    },
    {
      name: "something else in JSON",
      answer: (_request, response) => void response.end("{}"),
      says: /does not answer as a TokenX does/,
    },
    {
      name: "an answer that breaks off",
      answer: (_request, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("[");
        setImmediate(() => response.destroy());
      },
      says: /does not answer/,
    },
    {
      name: "a refusal that is a page",
      answer: (_request, response) => void response.writeHead(502).end("<html>Bad gateway</html>"),
      says: /refused: 502 Bad Gateway\n/,
    },
    {
      name: "a list of something else",
      answer: (_request, response) =>
        void response.end(
          '[null, 1, {"client_id":"local:n:x","software_statement":"x.y.z","jwks":{"keys":5}}]',
        ),
      says: /^$/,
    },
  ];
  for (const { name, answer: given, says } of answers) {
    test(name, async () => {
      const { folder } = await project(manifest("one"));
      fault.answer = given;
      const { code, err } = await output(["plan", "--against", url], folder, env);
      assert.match(err, says);
      assert.ok(!/\bat .*\.(ts|js):\d/.test(err) && !err.includes("should not have happened"), err);
      assert.equal(code, err === "" ? 0 : 3);
      assert.ok(!err.split(/\s/).some((word) => peekJwt(word) !== undefined), "no token is printed");
    });
  }
});

// The token API as it is hardened: with a shared secret, behind a Unix socket, with tokens that are bound to its key.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createSdk } from "./index.ts";
import type { NotObtained, TokenResult } from "./index.ts";

const folder = await mkdtemp(join(tmpdir(), "portvakt-sdk-"));
after(() => rm(folder, { recursive: true }));

const now = (): number => 1000;
const NAIS_TOKEN_ENDPOINT = "http://127.0.0.1:7164/api/v1/token";
const good = { access_token: "at", expires_in: 55, token_type: "Bearer" };
const ask = { provider: "entra_id", target: "local:b:api" } as const;

/** What the error of a result says, its causes included. */
const everythingSaid = (result: NotObtained): string => {
  const said: string[] = [];
  for (let error: unknown = result.error; error instanceof Error; error = error.cause)
    said.push(`${error.message} ${error.stack} ${JSON.stringify(error)}`);
  return said.join();
};

describe("a token API that wants a shared secret", () => {
  const file = join(folder, "secret");
  const withSecret = (answer: () => Response = () => Response.json(good)) => {
    const sent: (string | null)[] = [];
    const env = { NAIS_TOKEN_ENDPOINT, PORTVAKT_TOKENS_SHARED_SECRET_FILE: file };
    const send: typeof fetch = async (_url, init) => {
      sent.push(new Headers(init?.headers).get("authorization"));
      return answer();
    };
    return { sent, sdk: createSdk({ env, now, fetch: send }) };
  };

  test("is sent the one in the file, also when that has changed", async () => {
    const { sdk, sent } = withSecret();
    for (const secret of ["first-secret\n", "second-secret"]) {
      await writeFile(file, secret);
      assert.ok((await sdk.getMachineToken(ask)).ok);
    }
    assert.deepEqual(sent, ["Bearer first-secret", "Bearer second-secret"]);
  });

  const files: { name: string; content: string }[] = [
    { name: "is empty", content: "\n" },
    { name: "would break out of the header", content: "hush-hush\r\nx: y" },
    { name: "is too long", content: "hush-hush".repeat(1000) },
  ];
  for (const { name, content } of files) {
    test(`is not called with a secret that ${name}; nobody is told the secret`, async () => {
      await writeFile(file, content);
      const { sdk, sent } = withSecret();
      const result = await sdk.getMachineToken(ask);
      assert.ok(!result.ok && result.code === "not_configured");
      assert.equal(result.error.message, "no secret can be read from PORTVAKT_TOKENS_SHARED_SECRET_FILE");
      assert.doesNotMatch(everythingSaid(result), /hush/);
      assert.deepEqual(sent, []);
    });
  }

  test("is not called without its secret when the file is missing", async () => {
    await rm(file);
    const { sdk, sent } = withSecret();
    const result = await sdk.introspect("a.b.c", "tokenx");
    assert.ok(!result.ok && result.code === "not_configured");
    assert.deepEqual(sent, []);
  });

  test("that refuses it, or cannot be reached, is a result without it", async () => {
    await writeFile(file, "hush-hush");
    const answers: (() => Response)[] = [
      () => Response.json({ error: "invalid_client" }, { status: 401 }),
      () => {
        throw new TypeError("cut off");
      },
    ];
    const codes = [];
    for (const answer of answers) {
      const result = await withSecret(answer).sdk.getMachineToken(ask);
      assert.ok(!result.ok);
      assert.doesNotMatch(everythingSaid(result), /hush/);
      codes.push(result.code);
    }
    assert.deepEqual(codes, ["invalid_client", "unreachable"]);
  });
});

describe("a token API behind a Unix socket", () => {
  /** Asks for a token where this listener is the token API. */
  async function asked(listener: RequestListener, env: Record<string, string> = {}): Promise<TokenResult> {
    const socketPath = join(folder, "socket");
    const server = createServer(listener).listen(socketPath);
    await once(server, "listening");
    const fetchNothing: typeof fetch = () => Promise.reject(new Error("not over the network"));
    const all = { PORTVAKT_TOKENS_SOCKET_PATH: socketPath, ...env };
    const sdk = createSdk({ env: all, now, fetch: fetchNothing, timeoutSeconds: 0.3 });
    try {
      return await sdk.getMachineToken(ask);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test("is asked there alone, at its own paths, with what it wants", async () => {
    const file = join(folder, "secret-too");
    await writeFile(file, "word");
    const seen: unknown[] = [];
    const listener: RequestListener = (request, response) => {
      const { method, url, headers } = request;
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push([method, url, headers["authorization"], headers["content-type"], JSON.parse(body)]);
        response.end(JSON.stringify(good));
      });
    };
    const result = await asked(listener, { PORTVAKT_TOKENS_SHARED_SECRET_FILE: file });
    assert.deepEqual({ ...result }, { ok: true, token: "at", expiresIn: 55 });
    await asked(listener, { NAIS_TOKEN_ENDPOINT: "http://elsewhere.example/other/token" });
    const body = { identity_provider: "entra_id", target: "local:b:api" };
    assert.deepEqual(seen, [
      ["POST", "/api/v1/token", "Bearer word", "application/json", body],
      ["POST", "/other/token", undefined, "application/json", body],
    ]);
  });

  const troubles: { name: string; listener: RequestListener; code: string; says: RegExp }[] = [
    { name: "never answers", listener: () => undefined, code: "unreachable", says: /within 0.3 s/ },
    {
      name: "stops in the middle",
      listener: (_request, response) => void response.writeHead(200).write('{"a'),
      code: "unreachable",
      says: /within 0.3 s/,
    },
    {
      name: "hangs up",
      listener: (request) => request.socket.destroy(),
      code: "unreachable",
      says: /could not be reached/,
    },
    {
      name: "answers with 3 MB",
      listener: (_request, response) => void response.end("x".repeat(3_000_000)),
      code: "bad_response",
      says: /larger than/,
    },
    {
      name: "answers with nothing",
      listener: (_request, response) => void response.writeHead(204).end(),
      code: "unreachable",
      says: /could not be reached/,
    },
    {
      name: "sends elsewhere",
      listener: (_request, response) => void response.writeHead(302, { location: "http://x.example" }).end(),
      code: "bad_response",
      says: /not JSON/,
    },
  ];
  for (const { name, listener, code, says } of troubles) {
    test(`that ${name} is a result`, async () => {
      const result = await asked(listener);
      assert.ok(!result.ok);
      assert.equal(result.code, code);
      assert.match(result.error.message, says);
    });
  }

  test("in a runtime without sockets, and where nobody listens, is a result", async (t) => {
    const env = { PORTVAKT_TOKENS_SOCKET_PATH: join(folder, "nobody") };
    const unheard = await createSdk({ env, now }).getMachineToken(ask);
    t.mock.method(process, "getBuiltinModule", () => undefined);
    const without = await createSdk({ env, now }).getMachineToken(ask);
    assert.ok(!unheard.ok && !without.ok);
    assert.deepEqual([unheard.code, without.code], ["unreachable", "unreachable"]);
    assert.match(everythingSaid(without), /this runtime has no node:http/);
  });
});

describe("tokens that are bound to the token API's key (RFC 9449)", () => {
  const withAnswer = (answer: object, env: Record<string, string> = { NAIS_TOKEN_ENDPOINT }) => {
    const sent: unknown[] = [];
    const send: typeof fetch = async (url, init) => {
      sent.push([url, JSON.parse(init?.body as string)]);
      return Response.json(answer);
    };
    return { sent, sdk: createSdk({ env, now, fetch: send }) };
  };

  test("section 5: are handed out as what they are, whatever the case of the type", async () => {
    for (const token_type of ["DPoP", "dpop"]) {
      const result = await withAnswer({ ...good, token_type }).sdk.getMachineToken(ask);
      assert.deepEqual({ ...result }, { ok: true, token: "at", expiresIn: 55, tokenType: "DPoP" });
    }
  });

  test("section 4.2: the proof for a request comes from the token API beside it", async () => {
    const { sdk, sent } = withAnswer({ proof: "a.proof.x" });
    const request = { method: "GET", url: "https://api.example/cases", token: "at" };
    assert.deepEqual(await sdk.dpopProof(request), { ok: true, proof: "a.proof.x" });
    await sdk.dpopProof({ ...request, nonce: "n" });
    const url = "http://127.0.0.1:7164/api/v1/dpop-proof";
    const body = { method: "GET", url: "https://api.example/cases", access_token: "at" };
    assert.deepEqual(sent, [
      [url, body],
      [url, { ...body, nonce: "n" }],
    ]);
  });

  test("an answer without a proof, and a token API that is not set up, are results", async () => {
    const request = { method: "GET", url: "https://api.example/", token: "at" };
    const results = [
      await withAnswer({ proof: 1 }).sdk.dpopProof(request),
      await withAnswer({ proof: "" }).sdk.dpopProof(request),
      await withAnswer({}, {}).sdk.dpopProof(request),
      await createSdk({ env: {}, now, tokens: "direct" }).dpopProof(request),
    ];
    const codes = ["bad_response", "bad_response", "not_configured", "not_configured"];
    assert.deepEqual(
      results.map((result) => result.ok || result.code),
      codes,
    );
  });
});

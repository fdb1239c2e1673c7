import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { citizen, env, sign } from "../test/issuers.ts";

const run = promisify(execFile);

/** Runs a program of its own over this package, and gives what it prints. */
async function program(code: string, variables: Record<string, string>): Promise<unknown> {
  const args = ["--input-type=module", "-e", code];
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname, env: variables });
  return JSON.parse(stdout);
}

describe("the functions over the process's own environment", () => {
  test("read the platform's variables at their first use, also when these come late", async () => {
    const token = await sign({ ...citizen, aud: "someone-else" }, "tokenx");
    const printed = await program(
      `import { validateTokenxToken } from "@portvakt/sdk";
       const before = await validateTokenxToken(${JSON.stringify(token)});
       Object.assign(process.env, ${JSON.stringify({ ...env, TOKEN_X_ISSUER: "https://elsewhere.example" })});
       const after = await validateTokenxToken(${JSON.stringify(token)});
       console.log(JSON.stringify([before.code, after.code]));`,
      {},
    );
    assert.deepEqual(printed, ["not_configured", "wrong_issuer"]);
  });
  test("are not set up for good by variables that only begin like the platform's", async () => {
    const printed = await program(
      `import { validateTokenxToken } from "@portvakt/sdk";
       const before = await validateTokenxToken("a.b.c");
       Object.assign(process.env, ${JSON.stringify(env)});
       const after = await validateTokenxToken("a.b.c");
       console.log(JSON.stringify([before.code, after.code]));`,
      { AZURE_STORAGE_ACCOUNT: "unrelated", TOKEN_X_FUTURE: "unrelated", NAIS_TOKEN_FUTURE: "unrelated" },
    );
    assert.deepEqual(printed, ["not_configured", "malformed"]);
  });
  test("work where there is no process: nothing is set up, nothing throws", async () => {
    const printed = await program(
      `const { log } = console;
       delete globalThis.process;
       const sdk = await import("@portvakt/sdk");
       const { requireToken } = await import("@portvakt/sdk/fetch");
       const guarded = requireToken()(() => new Response("in"));
       const response = await guarded(new Request("http://x", { headers: { authorization: "Bearer a.b.c" } }));
       const results = [await sdk.validateToken("a.b.c"), await sdk.requestOboToken("a.b.c", "t"), await sdk.introspect("a", "tokenx")];
       log(JSON.stringify([...results.map(({ code }) => code), response.status]));`,
      env,
    );
    assert.deepEqual(printed, ["not_configured", "not_configured", "not_configured", 500]);
  });
});

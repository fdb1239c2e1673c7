/** The whole process, on embedded PGlite in a folder, killed in the middle of its life and started again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertionType, exchangeGrant, jwtType, party, provider, resource, signed } from "./platform.ts";

const issuer = "https://tokenx.example";
const [caller, target] = ["local:a:caller", "local:a:target"];
const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));

async function startProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env["PATH"] ?? "", PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0", ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = once(child, "exit");
  const [{ addresses }] = (await once(child, "message")) as [{ addresses: { tokenx: string } }];
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  return { url: addresses.tokenx, kill };
}

test("weak point 4.4.3: a server that is killed and started again knows which assertions and statements were used", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-tokenx-"));
  t.after(() => rm(folder, { recursive: true }));
  const [idporten, registrar, app] = [await provider(), await party("registrar"), await party()];
  t.after(() => idporten.close());
  const env = {
    PORTVAKT_TOKENX_ISSUER: issuer,
    PORTVAKT_TOKENX_DATA_DIRECTORY: join(folder, "data"),
    PORTVAKT_TOKENX_SUBJECT_ISSUERS: idporten.wellKnown,
    PORTVAKT_TOKENX_SUBJECT_RULES: JSON.stringify({ [idporten.wellKnown]: { audiences: [resource] } }),
    PORTVAKT_TOKENX_REGISTRAR_ID: "registrar",
    PORTVAKT_TOKENX_REGISTRAR_JWKS: JSON.stringify({ keys: [registrar.jwk] }),
  };
  const iat = Math.floor(Date.now() / 1000);
  let ids = 0;
  const times = () => ({ iat, exp: iat + 110, jti: `${++ids}` });
  const assertion = () => signed(app, { iss: caller, sub: caller, aud: issuer, ...times() });
  const subject = { iss: idporten.issuer, sub: "user", aud: resource, ...times(), exp: iat + 600 };
  const subject_token = await signed(idporten, subject);
  const exchange = async (url: string, client_assertion: string): Promise<number> => {
    const body = new URLSearchParams({
      grant_type: exchangeGrant,
      client_assertion_type: assertionType,
      client_assertion,
      subject_token_type: jwtType,
      subject_token,
      audience: target,
    });
    return (await fetch(`${url}/token`, { method: "POST", body })).status;
  };
  const statement = (appId: string) =>
    signed(registrar, { iss: "registrar", ...times(), appId, accessPolicyInbound: [caller] });
  const register = async (url: string, software_statement: string, { jwk } = app): Promise<number> => {
    const bearer = await signed(registrar, { iss: "registrar", sub: "registrar", aud: issuer, ...times() });
    const response = await fetch(`${url}/registration/client`, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ jwks: { keys: [jwk] }, software_statement }),
    });
    return response.status;
  };

  const first = await startProcess(env);
  t.after(first.kill);
  const stated = await statement(target);
  assert.equal(await register(first.url, await statement(caller)), 201);
  assert.equal(await register(first.url, stated), 201);
  const used = await Promise.all(Array.from({ length: 20 }, assertion));
  assert.deepEqual(
    await Promise.all(used.map((one) => exchange(first.url, one))),
    used.map(() => 200),
  );
  await first.kill();

  const second = await startProcess(env);
  t.after(second.kill);
  assert.deepEqual(
    await Promise.all(used.map((one) => exchange(second.url, one))),
    used.map(() => 401),
  );
  assert.equal(await register(second.url, stated, await party()), 400, "a statement, too");
  assert.equal(
    await exchange(second.url, await assertion()),
    200,
    "what is new is taken, also of the same second",
  );
});

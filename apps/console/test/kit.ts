/** A console of one's own over real HTTP, and a double of TokenX that answers what a test wants. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import { settings as schema, start } from "../src/index.ts";

export const now = 1_750_000_000;

/** A console that runs. */
export interface Console {
  readonly url: string;
  readonly logged: string[];
  readonly clock: { now: number };
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, what: string, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Starts a console on a free port, with these settings. */
export async function consoleWith(env: Record<string, string> = {}): Promise<Console> {
  const logged: string[] = [];
  const clock = { now };
  const log = createLogger({
    name: "console",
    level: "debug",
    destination: { write: (line) => void logged.push(line) },
  });
  const values = readSettings(schema, { PORTVAKT_CONSOLE_BIND_ADDRESS: "127.0.0.1:0", ...env });
  const running = await start(values, { now: () => clock.now, log, metrics: createMetrics() });
  const url = running.addresses["console"] ?? "";
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, { redirect: "manual", ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return {
    ...{ url, logged, clock },
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, what, headers = {}) =>
      ask(path, { method: "POST", headers, body: new URLSearchParams({ what }) }),
    close: () => running.close(),
  };
}

/** A folder for manifests, by the names of its files. */
export async function folderWith(files: Record<string, string>): Promise<{
  readonly path: string;
  write(name: string, text: string): Promise<void>;
  remove(): Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), "portvakt-console-"));
  const write = (name: string, text: string): Promise<void> => writeFile(join(path, name), text);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return { path, write, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A manifest with inbound rules by name. */
export function manifest(name: string, inbound: readonly string[] = [], more = ""): string {
  const rules = inbound.map((caller) => `        - application: ${JSON.stringify(caller)}\n`).join("");
  return `apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  namespace: benefits
  labels:
    team: benefits
spec:
  image: local
  tokenx:
    enabled: true
${more}${rules === "" ? "" : `  accessPolicy:\n    inbound:\n      rules:\n${rules}`}`;
}

/** Somebody's HTTP server: answers JSON by path. */
export async function doubleOf(
  answer: (url: URL, authorization: string) => { readonly status?: number; readonly body: unknown },
): Promise<{ readonly url: string; readonly asked: string[]; close(): Promise<void> }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const url = new URL(request.url ?? "/", "http://double");
    const { status = 200, body } = answer(url, request.headers.authorization ?? "");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close };
}

/** A key, and what it signs. */
export async function signer(): Promise<{
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
  sign(claims: JWTPayload): Promise<string>;
}> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const members = { kid: "k1", alg: "RS256", use: "sig" };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...members },
    privateJwk: { ...(await exportJWK(privateKey)), ...members },
    sign: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k1", typ: "JWT" }).sign(privateKey),
  };
}

/** An issuer with metadata and keys. */
export async function issuerOf(publicJwk: JWK): Promise<Awaited<ReturnType<typeof doubleOf>>> {
  let url = "";
  const double = await doubleOf(({ pathname }) =>
    pathname === "/jwks"
      ? { body: { keys: [publicJwk] } }
      : { body: { issuer: url, jwks_uri: `${url}/jwks` } },
  );
  url = double.url;
  return double;
}

/** What stands between the head and the foot of a page, spaces taken together. */
export function mainOf({ text }: Answer): string {
  return text.slice(text.indexOf("<main"), text.indexOf("</main>")).replaceAll(/\s+/gu, " ");
}

/** Asserts that an answer is a page with everything that every page has. */
export function isPage({ status, headers, text }: Answer, expected = 200): void {
  assert.equal(status, expected, text.slice(text.indexOf("<main"), text.indexOf("</main>")));
  assert.match(headers.get("content-type") ?? "", /^text\/html/u);
  const policy = headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/u);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/u);
  for (const directive of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"])
    assert.ok(policy.includes(directive), directive);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
  assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
  assert.match(text, /<html lang="en">/u);
  assert.equal(text.match(/<h1>/gu)?.length, 1);
  assert.doesNotMatch(text, /<[^<>]*\s(?:href="\s*javascript:|src="(?!\/[a-z]))/iu);
  // what others wrote is no markup: neither between tags nor, with the quoted values left out, within them
  assert.doesNotMatch(text.replaceAll(/"[^"]*"/gu, '""'), /<script|<[^<>]*\son\w+=/iu);
}

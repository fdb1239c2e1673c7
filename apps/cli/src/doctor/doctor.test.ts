// Every finding of `portvakt doctor`: what makes it appear, and what makes it go away again.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openKeyStore } from "../apply/key-store.ts";
import { landscapeOf } from "../manifests/declared.ts";
import { keyFindings, manifestFindings } from "./declarations.ts";
import type { Finding } from "./finding.ts";
import { providerCheck } from "./providers.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

const time = 1_800_000_000;

/** A provider, as far as the doctor looks: its documents by their paths. */
async function provider(documents: (at: string) => Readonly<Record<string, object>>): Promise<string> {
  const server = createServer((request, response) => {
    const body = documents(at)[request.url ?? ""];
    response.setHeader("date", new Date(time * 1000).toUTCString());
    response.statusCode = body === undefined ? 404 : 200;
    response.end(JSON.stringify(body ?? {}));
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return at;
}

const path = "/.well-known/openid-configuration";
const whole = (issuer: string, at: string, keys: readonly object[] = [{}]) => ({
  [path]: { issuer, jwks_uri: `${at}/jwks` },
  "/jwks": { keys },
});

async function look(at: string, issuer?: string, now = time): Promise<string> {
  return told(
    await providerCheck({ name: "it", wellKnown: `${at}${path}`, issuer }, () => now)(),
    "note",
    "bad",
  );
}

function told(findings: readonly Finding[], ...states: readonly Finding["state"][]): string {
  const wanted = findings.filter(({ state }) => states.includes(state));
  assert.ok(
    findings.every(({ state, fix }) => state !== "bad" || (fix ?? "") !== ""),
    "whatever is bad has a fix",
  );
  return wanted.map(({ state, detail }) => `${state}: ${detail}`).join("\n");
}

describe("a provider", () => {
  test("as it should be, nothing is said of it", async () => {
    const at = await provider((own) => whole(own, own));
    assert.equal(await look(at, at), "");
  });

  test("without metadata, without keys, with another issuer than expected", async () => {
    assert.match(await look(await provider(() => ({}))), /^bad: .* answers 404$/);
    assert.match(await look("http://127.0.0.1:1"), /cannot be fetched from here/);
    const empty = await provider((own) => whole(own, own, []));
    assert.equal(await look(empty, empty), "bad: its key set is empty");
    const keyless = await provider((own) => ({ [path]: { issuer: own } }));
    assert.equal(await look(keyless, keyless), "bad: its metadata has no jwks_uri");
    const lost = await provider((own) => ({ [path]: { issuer: own, jwks_uri: `${own}/lost` } }));
    assert.match(await look(lost, lost), /^bad: its key set .*\/lost answers 404$/);
    const fine = await provider((own) => whole(own, own));
    assert.match(
      await look(fine, `${fine}/`),
      /^bad: its metadata names the issuer .*, and .*\/ is expected$/,
    );
  });

  const clocks: readonly { off: number; says: RegExp }[] = [
    { off: 0, says: /^$/ },
    { off: 3, says: /^$/ },
    { off: 6, says: /^note: its clock is .* behind the one here$/ },
    { off: 60, says: /^bad: its clock is .* behind the one here$/ },
    { off: -60, says: /^bad: its clock is .* ahead of the one here$/ },
  ];
  for (const { off, says } of clocks) {
    test(`a clock that is ${off} s behind`, async () => {
      const at = await provider((own) => whole(own, own));
      assert.match(await look(at, at, time + off), says);
    });
  }

  test("from both sides: applications and browsers reach one provider, or two, or browsers reach none", async () => {
    const outside = await provider((own) => whole(own, own));
    const inside = await provider((own) => whole(outside, own));
    const findings = await providerCheck(
      { name: "it", wellKnown: `${inside}${path}`, issuer: outside },
      () => time,
    )();
    assert.ok(told(findings, "good").includes(`the same issuer from both sides, ${inside} and ${outside}`));
    assert.equal(told(findings, "note", "bad"), "");

    const stranger = await provider((own) => whole("https://other.example", own));
    const split = await provider((own) => whole(stranger, own));
    assert.match(
      await look(split, stranger),
      /^bad: applications reach it at .*, and browsers at .*, where it is https:\/\/other\.example$/,
    );
    const alone = await provider((own) => whole("http://127.0.0.1:1", own));
    assert.match(await look(alone), /^note: applications reach it at .* cannot be fetched from here$/);
  });
});

const manifest = (spec: string, name = "front"): string =>
  `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: ${name}, namespace: team-a }\nspec:\n  image: x\n${spec}`;

async function ofManifest(spec: string): Promise<string> {
  const landscape = await landscapeOf({
    sources: [{ file: "app.yaml", text: manifest(spec) }],
    cluster: "local",
  });
  return told(manifestFindings({ ...landscape, cluster: "local", running: undefined }), "note", "bad");
}

describe("what manifests say", () => {
  const proxy = "  idporten: { enabled: true, sidecar: { enabled: true } }\n";
  const rule = (application: string): string =>
    `  tokenx: { enabled: true }\n  accessPolicy: { inbound: { rules: [{ application: "${application}" }] } }\n`;
  const employees = (rest: string): string =>
    `  ingresses: ["https://a.example"]\n  azure: { sidecar: { enabled: true }, application: { enabled: true, ${rest} } }\n`;
  const cases: readonly { name: string; spec: string; says: RegExp }[] = [
    { name: "nothing", spec: "  tokenx: { enabled: true }\n", says: /^$/ },
    {
      name: "a login proxy without an ingress",
      spec: proxy,
      says: /^note: .* has a login proxy and no ingress/,
    },
    {
      name: "the addresses to register",
      spec: `${proxy}  ingresses: ["https://a.example/x/"]\n`,
      says: /^note: register with ID-porten .*: https:\/\/a\.example\/x\/oauth2\/callback https:\/\/a\.example\/x\/oauth2\/logout\/callback https:\/\/a\.example\/x\/oauth2\/logout\/frontchannel$/,
    },
    { name: "nobody may use it", spec: employees("allowAllUsers: false"), says: /bad: no employee can use/ },
    {
      name: "all may use it",
      spec: employees("allowAllUsers: true"),
      says: /^note: register with Entra ID [^\n]*$/,
    },
    { name: "an open door", spec: rule("*"), says: /^note: .* admits every application in namespace/ },
    {
      name: "a caller that nobody declares",
      spec: rule("ghost"),
      says: /^note: .*ghost.*no manifest declares/,
    },
  ];
  for (const { name, spec, says } of cases) {
    test(name, async () => assert.match(await ofManifest(spec), says));
  }
});

test("keys: young ones are fine, old ones are said, and those that Maskinporten no longer takes are bad", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-doctor-"));
  t.after(() => rm(folder, { recursive: true }));
  const jwk = { kty: "RSA", kid: "one" };
  const aged = async (days: number): Promise<string> => {
    await openKeyStore(folder).write("local:a:b", [{ jwk, madeAt: time - days * 86_400 }]);
    return told(await keyFindings(folder, time), "note", "bad");
  };
  assert.equal(await aged(10), "");
  assert.match(await aged(200), /^note: the key of local:a:b is .* old$/);
  assert.match(await aged(400), /^bad: the key of local:a:b is .* old$/);
});

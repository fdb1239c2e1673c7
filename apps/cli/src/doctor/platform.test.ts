// What `portvakt doctor` finds on a running platform: each finding appears with its cause, and goes with it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import type { DevApplication, DevState } from "../running/state.ts";
import { hostFindings, signInFinding, type SignIn } from "./cookies.ts";
import type { Finding } from "./finding.ts";
import { platformChecks } from "./platform.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listening(listener: RequestListener, maxHeaderSize = 16_384): Promise<string> {
  const server = createServer({ maxHeaderSize }, listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const nobody = "http://127.0.0.1:1";
const answers: RequestListener = (_request, response) => void response.end("here");
/** A login proxy, as far as the doctor looks. */
const signsIn =
  (cookies: readonly string[] = ["pending=x"], to = "http://provider/authorize"): RequestListener =>
  (request, response) =>
    request.url === "/oauth2/login"
      ? void response.writeHead(302, { location: to, "set-cookie": [...cookies] }).end()
      : void response.end("here");

/** What is bad about one application, each with its fix. */
async function troubles(application: Partial<DevApplication>): Promise<string> {
  const url = application.url ?? (await listening(answers));
  const front: DevApplication = { id: "local:a:front", url, direct: url, clients: {}, ...application };
  const issuer = { issuer: nobody, jwksUri: nobody };
  const running: DevState = {
    pid: 1,
    processes: {},
    cluster: "local",
    manifests: [],
    providers: { idporten: issuer, entra: issuer, maskinporten: issuer, tokenx: issuer },
    control: nobody,
    console: nobody,
    applications: { front },
  };
  const findings = (await Promise.all(platformChecks(running).map((check) => check()))).flat();
  return bad(findings);
}

function bad(findings: readonly Finding[]): string {
  const found = findings.filter(({ state }) => state === "bad");
  assert.ok(found.every(({ fix }) => (fix ?? "") !== ""));
  return found.map(({ about, detail }) => `${about}: ${detail}`).join("\n");
}

describe("an application of the running platform", async () => {
  const cases: readonly {
    name: string;
    wrong: Partial<DevApplication>;
    says: RegExp;
    right: Partial<DevApplication>;
  }[] = [
    {
      name: "nobody answers where people come",
      wrong: { url: nobody },
      says: /^front: for people and other applications: http:\/\/127\.0\.0\.1:1 does not answer$/,
      right: {},
    },
    {
      name: "its token API does not answer",
      wrong: { tokens: nobody },
      says: /^front: its token API at http:\/\/127\.0\.0\.1:1 does not answer$/,
      right: { tokens: await listening(answers) },
    },
    {
      name: "it does not answer behind its login proxy",
      wrong: { url: await listening(signsIn()), direct: nobody, login: nobody },
      says: /^front: itself, behind its login proxy: .* does not answer$/,
      right: { url: await listening(signsIn()), direct: await listening(answers), login: nobody },
    },
    {
      name: "its login proxy sends nobody to sign in",
      wrong: { url: await listening(answers), login: nobody },
      says: /^front: its login proxy does not send browsers to sign in$/,
      right: { url: await listening(signsIn()), login: nobody },
    },
    {
      name: "a cookie that browsers cut off",
      wrong: { url: await listening(signsIn([`pending=${"x".repeat(4096)}`])), login: nobody },
      says: /^front: a sign-in sets 1 cookie of 4104 bytes, in an address of 25$/,
      right: { url: await listening(signsIn([`pending=${"x".repeat(4000)}`])), login: nobody },
    },
    {
      name: "an address that proxies cut off",
      wrong: { url: await listening(signsIn([], `http://provider/${"x".repeat(8200)}`)), login: nobody },
      says: /^front: a sign-in sets 0 cookies of 0 bytes, in an address of 8216$/,
      right: { url: await listening(signsIn([], `http://provider/${"x".repeat(8000)}`)), login: nobody },
    },
    {
      name: "its server refuses large heads",
      wrong: { url: await listening(answers, 8000) },
      says: /^front: a request with a token of 8000 bytes is refused by its server \(431\)$/,
      right: { url: await listening(answers, 9000) },
    },
  ];
  for (const { name, wrong, says, right } of cases)
    test(name, async () => {
      assert.match(await troubles(wrong), says);
      assert.equal(await troubles(right), "");
    });
});

describe("cookies of a host", () => {
  const signIns = (count: number, host: (index: number) => string): SignIn[] =>
    Array.from({ length: count }, (_, index) => ({
      name: `app-${index}`,
      host: host(index),
      to: "http://provider",
      cookies: [600],
    }));

  test("are summed over its applications, whatever their ports: too many for one host, not for several", () => {
    const shared = signIns(6, () => "apps.example");
    assert.equal(
      bad(hostFindings(shared)),
      "apps.example: 6 applications with a sign-in: a browser carries up to 9744 bytes of cookies to each",
    );
    assert.equal(bad(hostFindings(signIns(6, (index) => `app-${index}.example`))), "");
    assert.equal(bad(shared.map(signInFinding)), "", "each alone is fine");
  });
});

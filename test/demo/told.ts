// What a running platform tells about itself: logs, terminal, metrics; and what it must never tell.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Demo } from "./platform.ts";

/** A server of the platform, by the log line in which it says where it listens. */
interface Server {
  readonly name: string;
  readonly status: string;
}

/** Text by where it was told. */
type Told = Readonly<Record<string, string>>;

async function logsOf(demo: Demo): Promise<Told> {
  const folder = join(demo.folder, "logs");
  const files = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(join(folder, file), "utf8")] as const)),
  );
}

/** Every server that has said where its status is. */
export async function serversOf(demo: Demo): Promise<Server[]> {
  const logs = await logsOf(demo);
  return Object.entries(logs).flatMap(([file, text]) =>
    [...text.matchAll(/"status":"(http:[^"]+)"[^\n]*"msg":"listening"/gu)]
      .slice(-1)
      .map(([, status = ""]) => ({ name: file.replace(/\.log$/u, ""), status })),
  );
}

/** All that was told: every log, the terminal, every server's metrics. */
export async function everythingTold(demo: Demo): Promise<Told> {
  const metrics: Record<string, string> = {};
  for (const { name, status } of await serversOf(demo)) {
    metrics[`metrics of ${name}`] = await (await fetch(`${status}/metrics`)).text();
  }
  return { ...(await logsOf(demo)), ...metrics, terminal: demo.printed() };
}

/** Strings of a JSON document, those of public JWK members left out. */
function stringsIn(value: unknown, name = ""): string[] {
  if (typeof value === "string") return ["n", "e", "x", "y", "kid"].includes(name) ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, key));
}

/** What must never be told: what looks like a token, private keys and secrets of this platform, people's numbers. */
export async function neverToTell(demo: Demo): Promise<readonly { what: string; pattern: RegExp }[]> {
  const keys = stringsIn(JSON.parse(await readFile(join(demo.folder, "keys.json"), "utf8")));
  const secrets = keys.filter((text) => text.length >= 32).map((text) => RegExp.escape(text));
  return [
    { what: "a token", pattern: /eyJ[\w-]{10,}\.[\w-]{10,}/u },
    { what: "a private key or a secret", pattern: new RegExp(secrets.join("|"), "u") },
    { what: "a person's number", pattern: /17858430038|03919140118/u },
    { what: "an authorization code", pattern: /[?&]code=(?!\[)[\w-]{16,}/u },
    { what: "a session's cookie", pattern: /(?:set-)?cookie["']?\s*[:=]\s*["']?(?!\[)[\w.-]+=[\w-]{16,}/iu },
  ];
}

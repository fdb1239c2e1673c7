import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Project } from "./installed.ts";
import { run } from "./programs.ts";

/** Exact, like every dependency; they are installed into the empty project only. */
const packages = ["next@16.4.6", "react@19.2.7", "react-dom@19.2.7"];

const files: Readonly<Record<string, string>> = {
  "app/layout.js": `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
  "app/people/[id]/route.js": `import { requireToken } from "@portvakt/sdk/fetch";

export const GET = requireToken({ providers: "tokenx", acr: "idporten-loa-high" })(
  async (_request, caller, { params }) => Response.json({ client: caller.client, id: (await params).id }),
);
`,
};

/** A Next.js application whose route handler the SDK guards, started for real and called with and without a token. */
export async function runNext({ folder }: Project): Promise<string> {
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], { cwd: folder });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS256" }] });
  const server = createServer((_request, response) => response.end(jwks)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const next = spawn("node", ["node_modules/.bin/next", "dev", "-p", "0", "-H", "127.0.0.1"], {
    cwd: folder,
    // A group of its own: Next.js starts more processes, which end with it.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...{ ...process.env, NEXT_TELEMETRY_DISABLED: "1", TOKEN_X_ISSUER: issuer },
      ...{ TOKEN_X_JWKS_URI: `${issuer}/jwks`, TOKEN_X_CLIENT_ID: "local:benefits:api" },
    },
  });
  try {
    const at = await addressOf(next.stdout);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: "local:benefits:api", client_id: "local:benefits:portal" };
    const token = await new SignJWT({ ...claims, acr: "Level4", pid: "12345678901", iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: "RS256", kid: "one" })
      .sign(privateKey);
    const headers = { authorization: `Bearer ${token}` };
    const through = await fetch(`${at}/people/7`, { headers });
    const told = await through.text();
    const without = await fetch(`${at}/people/7`);
    if (told !== '{"client":"local:benefits:portal","id":"7"}') throw new Error(`with a token: ${told}`);
    if (without.status !== 401) throw new Error(`without a token: ${without.status}`);
    return "a route handler is told who calls; without a token it is not reached";
  } finally {
    const ended = once(next, "exit");
    if (next.pid !== undefined) process.kill(-next.pid, "SIGKILL");
    await ended;
    server.close();
  }
}

/** The output is read to its end, though only its start is of interest: a program that cannot print fails. */
function addressOf(output: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = "";
  output.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    const found = /Local:\s+(http:\/\/\S+)/.exec(said)?.[1];
    if (found !== undefined && said.includes("Ready")) resolve(found);
  });
  output.on("end", () => reject(new Error(`Next.js did not start:\n${said}`)));
  return promise;
}

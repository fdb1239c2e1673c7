// Proxies with their documented configuration, as children that cannot outlive the test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

export const documents = resolve(import.meta.dirname, "../../../docs/forward-auth");

/** Where a proxy in front finds a login proxy, for browsers and for its own questions, and an application: host:port. */
export interface Behind {
  readonly login: string;
  readonly question: string;
  readonly application: string;
}

/** Starts a proxy in front of these. Gives its own address. */
export type Front = (t: TestContext, to: Behind) => Promise<string>;

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function programOf(variable: string): string {
  const program = process.env[variable];
  assert.ok(program, `${variable} is not set: install the program and put its path there, or run npm test`);
  return program;
}

/** The shell stops the server when this process ends in any way: then `cat` sees the end of its input. */
const guard = `"$@" < /dev/null & server=$!; exec > /dev/null; cat; kill -TERM "$server"; wait "$server"`;

async function run(
  t: TestContext,
  folder: string,
  port: number,
  command: readonly string[],
): Promise<string> {
  const shell = spawn("/bin/sh", ["-c", guard, "sh", ...command], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  shell.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4096)));
  // The shell let go of its output at once: what is left of it is the server's, and its end is the server's end.
  let ended = false;
  shell.stdout.resume().once("end", () => (ended = true));
  t.after(async () => {
    shell.stdin.end();
    if (shell.exitCode === null) await once(shell, "exit");
    await rm(folder, { recursive: true, force: true });
  });
  for (let tries = 0; ; tries++) {
    const open = await new Promise<boolean>((done) => {
      const socket = net.connect(port, "127.0.0.1", () => done(true));
      socket.on("error", () => done(false)).on("connect", () => socket.destroy());
    });
    if (open) return `127.0.0.1:${port}`;
    assert.ok(!ended && tries < 400, `${command.join(" ")} did not start: ${said}`);
    await delay(50);
  }
}

export const nginx: Front = async (t, { login, question, application }) => {
  const program = programOf("PORTVAKT_TEST_NGINX");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-nginx-"));
  const port = await freePort();
  const document = await readFile(join(documents, "nginx.conf"), "utf8");
  const ours = document
    .replaceAll("127.0.0.1:3000", login)
    .replaceAll("127.0.0.1:3002", question)
    .replace("127.0.0.1:8080", application)
    .replace("127.0.0.1:8000", `127.0.0.1:${port}`);
  await writeFile(join(folder, "portvakt.conf"), ours);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  const main = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${temporary} include ${folder}/portvakt.conf; }`;
  await writeFile(join(folder, "nginx.conf"), main);
  return run(t, folder, port, [program, "-p", folder, "-c", join(folder, "nginx.conf")]);
};

export const caddy: Front = async (t, { login, question, application }) => {
  const program = programOf("PORTVAKT_TEST_CADDY");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-caddy-"));
  const port = await freePort();
  const main = `{\n\tadmin off\n\tauto_https off\n}\nimport ${join(documents, "Caddyfile")}\n`;
  await writeFile(join(folder, "Caddyfile"), main);
  const names = {
    HOME: folder,
    SITE: `:${port}`,
    LOGIN: login,
    QUESTION: question,
    APPLICATION: application,
  };
  const variables = Object.entries(names).map(([name, value]) => `${name}=${value}`);
  const how = ["run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")];
  return run(t, folder, port, ["/usr/bin/env", ...variables, program, ...how]);
};

/** Debian has no package of it: tested where PORTVAKT_TEST_ENVOY names one. */
export const envoy: Front = async (t, { login, question, application }) => {
  const program = programOf("PORTVAKT_TEST_ENVOY");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-envoy-"));
  const port = await freePort();
  const document = await readFile(join(documents, "envoy.yaml"), "utf8");
  const ports = {
    8000: String(port),
    3000: login.split(":")[1],
    3002: question.split(":")[1],
    8080: application.split(":")[1],
  };
  const ours = document.replace(
    /port_value: (8000|3000|3002|8080)/gu,
    (_, documented: keyof typeof ports) => `port_value: ${ports[documented]}`,
  );
  await writeFile(join(folder, "envoy.yaml"), ours);
  const quiet = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"];
  return run(t, folder, port, [program, "-c", join(folder, "envoy.yaml"), ...quiet]);
};

/** Debian has no package of it: tested where PORTVAKT_TEST_TRAEFIK names one. TLS, which the document asks for, ends in front here. */
export const traefik: Front = async (t, { login, question, application }) => {
  const program = programOf("PORTVAKT_TEST_TRAEFIK");
  const folder = await mkdtemp(join(tmpdir(), "portvakt-traefik-"));
  const port = await freePort();
  const document = await readFile(join(documents, "traefik.yml"), "utf8");
  const ours = document
    .replace("http://127.0.0.1:3000", `http://${login}`)
    .replace("http://127.0.0.1:3002", `http://${question}`)
    .replace("http://127.0.0.1:8080", `http://${application}`)
    .replaceAll(/^ +tls: \{\}\n/gmu, "");
  await writeFile(join(folder, "portvakt.yml"), ours);
  return run(t, folder, port, [
    program,
    `--entryPoints.websecure.address=127.0.0.1:${port}`,
    `--providers.file.filename=${join(folder, "portvakt.yml")}`,
    "--global.checkNewVersion=false",
    "--log.level=ERROR",
  ]);
};

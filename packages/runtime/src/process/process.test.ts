import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { finished } from "node:stream/promises";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { settingsMarkdown } from "../config/index.ts";
import { otlpReceiver } from "../observe/otlp-receiver.ts";
import type { OtlpReceiver } from "../observe/otlp-receiver.ts";
import { eventually } from "../store/suite/eventually.ts";
import { commonSettings } from "./index.ts";

const program = fileURLToPath(new URL("../../test/fixtures/server.ts", import.meta.url));
const children = new Set<ChildProcess>();

interface Child {
  readonly process: ChildProcess;
  output(): string;
  errors(): string;
  /** The addresses that it logged when it listened. */
  addresses(): Promise<Readonly<Record<string, string>>>;
  /** Exit code, or the signal's name when it had none. */
  readonly ended: Promise<number | string>;
}

/** Not "close": with an IPC channel that was disconnected it does not come. */
async function exit(child: ChildProcess): Promise<number | string> {
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) await finished(stream);
  const [code, signal] = await exited;
  return code ?? signal ?? "";
}

function start(
  options: {
    args?: readonly string[];
    node?: readonly string[];
    env?: Readonly<Record<string, string>>;
    ipc?: boolean;
  } = {},
): Child {
  const { args = [], node = [], env = {}, ipc = false } = options;
  const stdio = ["ignore", "pipe", "pipe", ...(ipc ? ["ipc" as const] : [])] as const;
  const child = spawn(process.execPath, [...node, program, ...args], { env, stdio: [...stdio] });
  children.add(child);
  let [output, errors] = ["", ""];
  child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
  const logged = (): string | undefined =>
    output.split("\n").find((line) => line.includes('"msg":"listening"'));
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    addresses: async () => {
      await eventually(() => logged() !== undefined || child.exitCode !== null);
      return (
        JSON.parse(logged() ?? assert.fail(`it did not start: ${output}${errors}`)) as {
          addresses: Record<string, string>;
        }
      ).addresses;
    },
    ended: exit(child),
  };
}

describe("runProcess", { timeout: 60_000 }, () => {
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    children.clear();
  });

  it("says where it listens, serves its status, drains on SIGTERM and exits 0", async () => {
    const child = start();
    const addresses = await child.addresses();
    assert.equal(await (await fetch(`${addresses["status"]}/healthz`)).text(), "ok\n");
    assert.deepEqual(await (await fetch(`${addresses["status"]}/readyz`)).json(), {
      ready: true,
      checks: { fixture: { ok: true } },
    });
    assert.match(
      await (await fetch(`${addresses["status"]}/metrics`)).text(),
      /^process_cpu_seconds_total /m,
    );
    const slow = fetch(`${addresses["main"]}/slow`);
    await (await fetch(`${addresses["main"]}/`)).text();
    child.process.kill("SIGTERM");
    assert.equal(await (await slow).text(), "served", "a request in flight is finished");
    assert.equal(await child.ended, 0);
    assert.match(child.output(), /"msg":"stopped"/);
  });

  it("reports not ready while it waits before closing", async () => {
    const child = start({ env: { PORTVAKT_FIXTURE_SHUTDOWN_WAIT: "2s" } });
    const addresses = await child.addresses();
    child.process.kill("SIGINT");
    await eventually(() => child.output().includes("stopping"));
    assert.equal((await fetch(`${addresses["status"]}/readyz`)).status, 503);
    assert.equal(await (await fetch(`${addresses["main"]}/`)).text(), "served", "it still serves");
    assert.equal(await child.ended, 0);
  });

  it("RFC 9112 section 9.6: answers while it stops end their connections, so that no client is cut off by the end", async () => {
    const child = start({ env: { PORTVAKT_FIXTURE_SHUTDOWN_WAIT: "1s" } });
    const { main = "" } = await child.addresses();
    const agent = new http.Agent({ keepAlive: true });
    const connectionOf = async (path: string): Promise<string | undefined> => {
      const asked = once(http.get(`${main}${path}`, { agent }), "response");
      const [response] = (await asked) as [http.IncomingMessage];
      await response.toArray();
      return response.headers.connection;
    };
    assert.equal(await connectionOf("/"), "keep-alive");
    const slow = connectionOf("/slow");
    assert.equal(await connectionOf("/"), "keep-alive");
    child.process.kill("SIGTERM");
    await eventually(() => child.output().includes("stopping"));
    assert.equal(await connectionOf("/"), "close");
    assert.equal(await slow, "close", "also what was under way");
    assert.equal(await child.ended, 0);
    agent.destroy();
  });

  it("busy clients lose no request on a kept connection when a server stops", async () => {
    const child = start();
    const { main = "" } = await child.addresses();
    const agent = new http.Agent({ keepAlive: true });
    let served = 0;
    const lost: string[] = [];
    const client = async (): Promise<void> => {
      for (;;) {
        const asked = http.get(main, { agent });
        try {
          const [response] = (await once(asked, "response")) as [http.IncomingMessage];
          await response.toArray();
          served += 1;
        } catch (error) {
          if (!asked.reusedSocket) return;
          lost.push(String(error));
        }
      }
    };
    const clients = Array.from({ length: 10 }, client);
    await eventually(() => served > 100);
    child.process.kill("SIGTERM");
    await Promise.all(clients);
    assert.deepEqual(lost, []);
    assert.equal(await child.ended, 0);
    agent.destroy();
  });

  it("cuts a request that outlasts the grace time", async () => {
    const child = start({ env: { PORTVAKT_FIXTURE_SHUTDOWN_GRACE: "100ms" } });
    const addresses = await child.addresses();
    const stuck = assert.rejects(fetch(`${addresses["main"]}/stuck`));
    await (await fetch(`${addresses["main"]}/`)).text();
    child.process.kill("SIGTERM");
    await stuck;
    assert.equal(await child.ended, 0);
  });

  it("ends at once on a second signal", async () => {
    const child = start();
    const addresses = await child.addresses();
    const stuck = assert.rejects(fetch(`${addresses["main"]}/stuck`));
    await (await fetch(`${addresses["main"]}/`)).text();
    child.process.kill("SIGTERM");
    await eventually(() => child.output().includes("stopping"));
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, 1);
    await stuck;
  });

  it("tells its parent where it listens, and ends when the parent goes", async () => {
    const child = start({ ipc: true });
    const [message] = (await once(child.process, "message")) as [
      { type: string; addresses: Record<string, string> },
    ];
    assert.equal(message.type, "listening");
    assert.deepEqual(message.addresses, await child.addresses());
    child.process.disconnect();
    assert.equal(await child.ended, 0);
    assert.match(child.output(), /parent process gone/);
  });

  it("ends when the parent went before it could notice", async () => {
    const child = start({ ipc: true });
    child.process.disconnect();
    assert.equal(await child.ended, 0);
    assert.match(child.output(), /parent process gone/);
  });

  it("logs an unhandled rejection and exits 1", async () => {
    const child = start();
    const addresses = await child.addresses();
    await fetch(`${addresses["main"]}/reject`).catch(() => undefined);
    assert.equal(await child.ended, 1);
    assert.match(child.output(), /"level":"fatal".*nobody waits for this/);
  });

  it("logs why it could not start and exits 1", async () => {
    const child = start({ env: { PORTVAKT_FIXTURE_FAULT: "start" } });
    assert.equal(await child.ended, 1);
    assert.match(child.output(), /"level":"fatal".*the fixture does not start/);
  });

  it("lists every problem of its settings and exits 2, without a secret", async () => {
    const env = {
      PORTVAKT_FIXTURE_ADDRESS: "x",
      PORTVAKT_FIXTURE_LOG_LEVEL: "loud",
      PORTVAKT_FIXTURE_KEE: "hunter2",
      PORTVAKT_FIXTURE_KEY: "hunter2",
    };
    for (const args of [[], ["--check-config"]]) {
      const child = start({ env, args });
      assert.equal(await child.ended, 2);
      assert.equal(child.output(), "");
      assert.equal(
        child.errors(),
        `fixture: settings are wrong
  PORTVAKT_FIXTURE_LOG_LEVEL is not among the values (it is "loud")
    hint: use trace, debug, info, warn, error, fatal, silent
  PORTVAKT_FIXTURE_ADDRESS is not an address (it is "x")
    hint: use host:port, for example 127.0.0.1:3000
  PORTVAKT_FIXTURE_KEE is no setting
    hint: did you mean PORTVAKT_FIXTURE_KEY?
`,
      );
    }
  });

  it("says that its settings are right, and starts nothing", async () => {
    const child = start({ args: ["--check-config"] });
    assert.equal(await child.ended, 0);
    assert.equal(child.output(), "fixture: the settings are right\n");
  });

  it("prints its settings, their values and sources, secrets masked", async () => {
    const child = start({
      args: ["--print-config"],
      env: {
        PORTVAKT_FIXTURE_KEY: "hunter2",
        PORTVAKT_FIXTURE_ADDRESS: "127.0.0.1:1",
        OTEL_EXPORTER_OTLP_HEADERS: "key=hunter2",
      },
    });
    assert.equal(await child.ended, 0);
    assert.equal(
      child.output(),
      `setting                             value                  source
PORTVAKT_FIXTURE_STATUS_ADDRESS     127.0.0.1:0            default
PORTVAKT_FIXTURE_LOG_LEVEL          info                   default
PORTVAKT_FIXTURE_LOG_FORMAT         json                   default
PORTVAKT_FIXTURE_SHUTDOWN_GRACE     30s                    default
PORTVAKT_FIXTURE_SHUTDOWN_WAIT      0s                     default
PORTVAKT_FIXTURE_ADDRESS            127.0.0.1:1            PORTVAKT_FIXTURE_ADDRESS
PORTVAKT_FIXTURE_KEY                [secret]               PORTVAKT_FIXTURE_KEY
PORTVAKT_FIXTURE_FAULT              none                   default
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT  -                      unset
OTEL_EXPORTER_OTLP_ENDPOINT         -                      unset
OTEL_TRACES_EXPORTER                -                      unset
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL  http/protobuf          default
OTEL_EXPORTER_OTLP_TRACES_HEADERS   [secret]               OTEL_EXPORTER_OTLP_HEADERS
OTEL_SDK_DISABLED                   false                  default
OTEL_SERVICE_NAME                   -                      unset
OTEL_RESOURCE_ATTRIBUTES            -                      unset
OTEL_TRACES_SAMPLER                 parentbased_always_on  default
OTEL_TRACES_SAMPLER_ARG             1                      default
`,
    );
  });

  it("refuses an argument that it does not know, and explains those it does", async () => {
    const wrong = start({ args: ["--prnt-config"] });
    assert.equal(await wrong.ended, 2);
    assert.equal(wrong.errors(), "fixture: unknown argument --prnt-config\nhint: fixture --help\n");
    const help = start({ args: ["--help"] });
    assert.equal(await help.ended, 0);
    assert.equal(
      help.output(),
      `fixture: configured by environment variables. Without an argument it serves until SIGTERM, and drains.

  --print-config   print every setting, its value and the variable that gave it (secrets masked), and exit
  --check-config   check the settings and exit: 0 when they are right, 2 and what is wrong when not
  --help           print this
`,
    );
  });
});

/** Tells, on standard error, which modules of OpenTelemetry a process loads; its API is also loaded by prom-client. */
const watchLoading = `data:text/javascript,import { registerHooks } from "node:module";
registerHooks({ resolve(name, context, next) { if (/^@opentelemetry.(?!api$)/.test(name)) process.stderr.write("loads " + name); return next(name, context); } });`;

describe("traces of a process", { timeout: 60_000 }, () => {
  let receiver: OtlpReceiver;
  before(async () => (receiver = await otlpReceiver()));
  after(() => receiver.close());

  const served = async (env: Record<string, string>): Promise<Child> => {
    const child = start({ env, node: ["--import", watchLoading] });
    const addresses = await child.addresses();
    await (await fetch(`${addresses["main"]}/`)).text();
    await (await fetch(`${addresses["status"]}/healthz`)).text();
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, 0);
    return child;
  };

  it("go to the collector before the process ends; its status listener has none", async () => {
    const child = await served({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=hunter2",
      OTEL_RESOURCE_ATTRIBUTES: "service.namespace=demo",
    });
    assert.deepEqual(
      receiver.spans.map(({ name, service }) => [name, service]),
      [["GET /", "portvakt-fixture"]],
    );
    assert.equal(receiver.headers[0]?.["x-api-key"], "hunter2");
    assert.ok(!child.output().includes("hunter2"));
  });

  const off: readonly { name: string; env: Record<string, string> }[] = [
    { name: "nothing asks for them", env: {} },
    { name: "OTEL_SDK_DISABLED is true", env: { OTEL_SDK_DISABLED: "true", OTEL_TRACES_EXPORTER: "otlp" } },
    { name: "OTEL_TRACES_EXPORTER is none", env: { OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" } },
    { name: "the exporter is another", env: { OTEL_TRACES_EXPORTER: "zipkin" } },
    { name: "the protocol is another", env: { OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" } },
  ]; // prettier-ignore
  for (const { name, env } of off)
    it(`are off, and no SDK is loaded, when ${name}`, async () => {
      const child = await served(env);
      assert.equal(child.errors(), "");
      assert.equal(child.output().includes("no traces:"), name.endsWith("another"));
    });

  it("are lost, and nothing else is, when the collector is down; the end waits 3 s for it", async () => {
    const started = performance.now();
    const child = await served({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
    assert.ok(performance.now() - started < 15_000);
    assert.match(child.output(), /the last traces were lost/);
    assert.match(child.errors(), /loads @opentelemetry\/sdk-trace/);
  });
});

describe("commonSettings", () => {
  it("are named after the app, beside the names that others use", () => {
    const text = settingsMarkdown(commonSettings("login", { logLevel: ["WONDERWALL_LOG_LEVEL"] }));
    assert.match(text, /`PORTVAKT_LOGIN_LOG_LEVEL` .*`WONDERWALL_LOG_LEVEL`/);
    assert.match(text, /`PORTVAKT_LOGIN_STATUS_ADDRESS`/);
  });
});

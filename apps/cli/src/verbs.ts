import { accessVerbs } from "./access/verbs.ts";
import { applyVerbs } from "./apply/verbs.ts";
import { completionVerbs } from "./completion/verbs.ts";
import { doctorVerbs } from "./doctor/verbs.ts";
import { initVerbs } from "./init/verbs.ts";
import type { ExitCode } from "./failure.ts";
import { tokenVerbs } from "./token/verbs.ts";
import type { Surroundings, Verb } from "./verb.ts";

/** Every server verb: the same help, and the arguments go to the server as they are. */
function server(
  name: string,
  summary: string,
  example: string,
  run: (around: Surroundings, argv: readonly string[]) => Promise<void>,
): Verb {
  return {
    name,
    summary,
    usage: `portvakt ${name} [--print-config] [--check-config]`,
    example,
    options: {
      "print-config": {
        type: "boolean",
        summary: "show every setting, its value and where it came from, and end",
      },
      "check-config": {
        type: "boolean",
        summary: "only check the settings; 0 when they are right, 2 when not",
      },
    },
    notes: [
      "Configured by environment variables; --print-config lists them. Ends on SIGTERM after a graceful drain.",
    ],
    raw: true,
    run: async (_args, around, argv): Promise<ExitCode | undefined> => {
      await run(around, argv);
      return undefined;
    },
  };
}

/** Every verb. What a verb needs is imported when it runs, so that `portvakt --help` and the servers start quickly. */
export const verbs: readonly Verb[] = [
  {
    name: "dev",
    summary: "the whole platform on this machine, around your application",
    usage: "portvakt dev (--demo | -f <file>...) [options] [-- command]",
    example: "portvakt dev -f app.yaml -- npm start",
    options: {
      demo: { type: "boolean", summary: "run the example applications" },
      file: {
        type: "string",
        short: "f",
        multiple: true,
        value: "<file>",
        summary: "a manifest, or a folder of them; may be given more than once",
      },
      values: {
        type: "string",
        multiple: true,
        value: "<file>",
        summary: "values for {{ name }} in the manifests, YAML or JSON",
      },
      port: {
        type: "string",
        value: "<number>",
        summary: "first port of the platform, 7000 if not given; 0 finds free ones",
      },
      state: {
        type: "string",
        value: "<folder>",
        summary: "where keys, logs and data are kept, .portvakt if not given",
      },
      verbose: { type: "boolean", summary: "show everything that the processes log" },
      json: { type: "boolean", summary: "once everything is up, print the addresses as one JSON document" },
    },
    notes: [
      "A changed manifest is in force at once; only what it touches is started again.",
      "The command after -- is started as the application of the first manifest, with the platform's variables, which win over those of the manifest.",
      "Ctrl-C ends everything, and all that the command started but for what made a session of its own (setsid).",
    ],
    takesCommand: true,
    run: async (args, around) => (await import("./dev/run.ts")).runDev(args, around),
  },
  {
    name: "tour",
    summary: "run the seven journeys against the running platform, or its own",
    usage: "portvakt tour [--json] [options]",
    example: "portvakt tour",
    options: {
      json: { type: "boolean", summary: "print one JSON document on stdout and nothing else" },
      only: {
        type: "string",
        multiple: true,
        value: "<id>",
        summary: "run this journey only, such as 2.1; may be given more than once",
      },
      state: {
        type: "string",
        value: "<folder>",
        summary: "where the running platform keeps its state, .portvakt if not given",
      },
    },
    notes: ["Ends with 0 when every journey went well, with 1 when one did not."],
    run: async (args, around) => (await import("./tour/run.ts")).runTour(args, around),
  },
  ...accessVerbs,
  ...tokenVerbs,
  ...applyVerbs,
  ...doctorVerbs,
  ...initVerbs,
  server(
    "login",
    "the login proxy",
    "PORTVAKT_LOGIN_INGRESSES=http://localhost:7010 portvakt login",
    async (around, argv) => (await import("./serve.ts")).serveLogin(around, argv),
  ),
  server(
    "tokens",
    "the token API",
    "TOKEN_X_ENABLED=true portvakt tokens --check-config",
    async (around, argv) => (await import("./serve.ts")).serveTokens(around, argv),
  ),
  server(
    "sidecar",
    "login proxy and token API in one process",
    "portvakt sidecar --print-config",
    async (around, argv) => (await import("./serve.ts")).serveSidecar(around, argv),
  ),
  server(
    "tokenx",
    "the token exchange authorization server",
    "portvakt tokenx --print-config",
    async (around, argv) => (await import("./serve.ts")).serveTokenx(around, argv),
  ),
  server(
    "standins",
    "ID-porten, Entra ID and Maskinporten on this machine",
    "portvakt standins --print-config",
    async (around, argv) => (await import("./serve.ts")).serveStandins(around, argv),
  ),
  server(
    "console",
    "the web console: who may call whom, what was decided, and why",
    "PORTVAKT_CONSOLE_MANIFESTS=manifests/ portvakt console",
    async (around, argv) => (await import("./serve.ts")).serveConsole(around, argv),
  ),
  ...completionVerbs,
];

import { getCompileCacheDir } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  applicationVariables,
  consoleVariables,
  inherited,
  loginVariables,
  standinsVariables,
  tokensVariables,
  tokenxVariables,
} from "./environment.ts";
import { applicationsName } from "../running/state.ts";
import type { Keys } from "./keys.ts";
import type { Declared } from "./manifests.ts";
import type { Plan, PlannedApplication } from "./plan.ts";
import type { ProcessSpec } from "./process.ts";

export interface SpecOptions {
  readonly declared: readonly Declared[];
  readonly plan: Plan;
  readonly keys: Keys;
  readonly stateFolder: string;
  readonly logs: string;
  readonly registrationsFile: string;
  readonly serversFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Every process of a plan, by when it can start. */
export interface Specs {
  readonly standins: ProcessSpec;
  readonly tokenx: ProcessSpec;
  /** Login proxies and token APIs. */
  readonly sidecars: readonly ProcessSpec[];
  readonly applications: readonly ProcessSpec[];
  readonly console: ProcessSpec;
}

const launcher = fileURLToPath(new URL("../../bin/portvakt.js", import.meta.url));
const announcer = new URL("child/announce.ts", import.meta.url).href;
const keeper = fileURLToPath(new URL("child/keeper.ts", import.meta.url));

/** How to start each process of a plan. */
export function processSpecs(options: SpecOptions): Specs {
  const { plan, keys, logs, registrationsFile, stateFolder } = options;
  const base = inherited(options.env);
  const server = (name: string, title: string, verb: string, env: Record<string, string>): ProcessSpec => ({
    name,
    title,
    module: launcher,
    argv: [verb],
    env: { ...base, OTEL_SERVICE_NAME: name, ...env },
    folder: stateFolder,
    logFile: join(logs, `${name}.log`),
  });
  // those that hold both a login proxy and a token API first: see startInOrder
  const byLogin = plan.applications.toSorted(
    (a, b) => Number(b.login !== undefined) - Number(a.login !== undefined),
  );
  const sidecars = byLogin.flatMap((planned) => {
    if (planned.tokensPort === undefined) return [];
    const verb = planned.login === undefined ? "tokens" : "sidecar";
    const env = {
      ...tokensVariables(plan, planned, keys),
      ...loginVariables(plan, planned, keys),
      [`PORTVAKT_${verb.toUpperCase()}_STATUS_ADDRESS`]: `127.0.0.1:${planned.statusPort}`,
    };
    return [
      server(
        `${planned.name}-${verb}`,
        `the ${verb === "tokens" ? "token API" : "sidecar"} of ${planned.name}`,
        verb,
        env,
      ),
    ];
  });
  return {
    standins: server("standins", "the stand-ins", "standins", standinsVariables(plan, registrationsFile)),
    // its embedded database is WebAssembly, which starts sooner when V8 does not optimise it
    tokenx: {
      ...server("tokenx", "TokenX", "tokenx", tokenxVariables(plan, keys, join(stateFolder, "tokenx"))),
      execArgv: ["--liftoff-only"],
    },
    sidecars,
    console: server(
      "console",
      "the console",
      "console",
      consoleVariables(plan, keys, {
        applicationsFile: join(stateFolder, applicationsName),
        serversFile: options.serversFile,
        manifestRoot: rootOf(options.declared),
      }),
    ),
    applications: plan.applications.flatMap((planned) => programSpec(options, planned, base)),
  };
}

/** What stands before the manifests' paths as they were given. */
function rootOf([first]: readonly Declared[]): string {
  const { manifest = "", application } = first ?? {};
  const given = application?.source.file ?? "";
  return manifest.endsWith(given) ? manifest.slice(0, manifest.length - given.length) : "";
}

function programSpec(
  options: SpecOptions,
  planned: PlannedApplication,
  base: Record<string, string>,
): ProcessSpec[] {
  const program = options.declared.find(({ application }) => application === planned.application)?.program;
  if (program === undefined) return [];
  const spec = {
    name: planned.name,
    title: planned.name,
    env: { ...base, OTEL_SERVICE_NAME: planned.name, ...applicationVariables(options.plan, planned) },
    folder: program.folder,
    logFile: join(options.logs, `${planned.name}.log`),
  };
  if ("module" in program) {
    // what the application of a demo listens on is for this machine only
    const cache = getCompileCacheDir();
    const env = {
      ...spec.env,
      HOST: "127.0.0.1",
      ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }),
    };
    return [
      { ...spec, env, module: program.module, execArgv: ["--import", `${announcer}?port=${planned.port}`] },
    ];
  }
  // someone's own project: its whole environment, its output on the terminal
  const own = Object.fromEntries(
    Object.entries(options.env).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  return [
    {
      ...spec,
      module: keeper,
      argv: [String(planned.port), ...program.command],
      env: { ...own, ...spec.env },
      loud: true,
      triedOnce: true,
    },
  ];
}

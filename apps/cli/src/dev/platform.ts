import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "../failure.ts";
import { endpointsOf } from "./endpoints.ts";
import {
  applicationVariables,
  inherited,
  loginVariables,
  standinsVariables,
  tokensVariables,
  tokenxVariables,
} from "./environment.ts";
import { keepKeys, wantedKeys, writePrivate, type Keys } from "./keys.ts";
import type { Declared } from "./manifests.ts";
import { makePlan, type Plan, type PlannedApplication } from "./plan.ts";
import { planOnFreePorts } from "./ports.ts";
import { NeverListened, supervise, type ProcessSpec, type Supervised, type Watcher } from "./process.ts";
import { registrationsOf } from "./registrations.ts";
import { readState, removeState, writeState, type DevState } from "./state.ts";
import { registerWithTokenx } from "./tokenx-clients.ts";

export interface PlatformOptions {
  readonly declared: readonly Declared[];
  /** First port; 0 finds a free range. */
  readonly port: number;
  /** Where keys, data and logs are kept. */
  readonly stateFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly watcher: Watcher;
  /** Every line that the processes log goes to the watcher, not only warnings and worse. */
  readonly verbose?: boolean;
}

/** A platform that runs: every process listens, and TokenX knows every client. */
export interface Platform {
  readonly plan: Plan;
  readonly state: DevState;
  readonly logs: string;
  stop(): Promise<void>;
}

const startSeconds = 60;
const graceSeconds = 5;
const launcher = fileURLToPath(new URL("../../bin/portvakt.js", import.meta.url));
const announcer = new URL("announce.ts", import.meta.url).href;
const keeper = fileURLToPath(new URL("keeper.ts", import.meta.url));

/**
 * Starts the whole platform at once and waits until every part of it listens. What was started is ended again when one
 * of them cannot start.
 *
 * *Throws*: CommandError.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { declared, stateFolder, now, watcher } = options;
  await refuseSecond(stateFolder);
  const applications = declared.map(({ application }) => application);
  const plan = await planOnFreePorts((base) => makePlan(applications, base), options.port);
  const logs = join(stateFolder, "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const keys = await keepKeys(join(stateFolder, "keys.json"), wantedKeys(plan));
  const registrationsFile = join(stateFolder, "registrations.json");
  await writePrivate(registrationsFile, `${JSON.stringify(registrationsOf(plan, keys.public), null, 2)}\n`);

  const specs = processSpecs({ ...options, plan, keys, logs, registrationsFile });
  const running = specs.map((spec) =>
    supervise(options.verbose === true ? { ...spec, loud: true } : spec, watcher, now),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((process) => process.stop(graceSeconds)));
    await removeState(stateFolder);
  };
  try {
    await Promise.all([everyoneListens(running), registerWhenUp(running, { plan, keys, now })]);
    const state = stateOf(plan);
    await writeState(stateFolder, state);
    return { plan, state, logs, stop };
  } catch (error) {
    await stop();
    throw error instanceof NeverListened ? explained(error) : error;
  }
}

async function refuseSecond(stateFolder: string): Promise<void> {
  const other = await readState(stateFolder);
  if (other === undefined) return;
  throw new CommandError(`a platform is already running here, as process ${other.pid}`, {
    hints: [
      `end it with \`kill ${other.pid}\`, or give this one its own place with \`--state\` and \`--port\``,
    ],
  });
}

async function registerWhenUp(
  running: readonly Supervised[],
  options: Parameters<typeof registerWithTokenx>[0],
): Promise<void> {
  await running.find(({ spec }) => spec.name === "tokenx")?.listening;
  await registerWithTokenx(options);
}

async function everyoneListens(running: readonly Supervised[]): Promise<void> {
  const waiting = new Set(running);
  const all = Promise.all(running.map((process) => process.listening.then(() => waiting.delete(process))));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const names = [...waiting].map(({ spec }) => spec.title).join(", ");
    late.reject(
      new CommandError(`not ready after ${startSeconds} s: ${names}`, {
        hints: [...waiting].map(({ spec }) => `see ${spec.logFile}`).slice(0, 3),
      }),
    );
  }, startSeconds * 1000);
  try {
    await Promise.race([all, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function explained(error: NeverListened): CommandError {
  const last = error.tail.map((line) => `  ${line}`).join("\n");
  return new CommandError(`${error.message}${last === "" ? "" : `\n${last}`}`, {
    hints: [`the whole log is in ${error.spec.logFile}`],
    cause: error,
  });
}

interface SpecOptions extends PlatformOptions {
  readonly plan: Plan;
  readonly keys: Keys;
  readonly logs: string;
  readonly registrationsFile: string;
}

/** Every process of a plan: the servers first, because everyone else asks them. */
function processSpecs(options: SpecOptions): ProcessSpec[] {
  const { plan, keys, logs, registrationsFile, stateFolder } = options;
  const base = inherited(options.env);
  const server = (name: string, title: string, verb: string, env: Record<string, string>): ProcessSpec => ({
    name,
    title,
    module: launcher,
    argv: [verb],
    env: { ...base, ...env },
    folder: stateFolder,
    logFile: join(logs, `${name}.log`),
  });
  const servers = [
    server("standins", "the stand-ins", "standins", standinsVariables(plan, registrationsFile)),
    server("tokenx", "TokenX", "tokenx", tokenxVariables(plan, keys, join(stateFolder, "tokenx"))),
  ];
  const beside = plan.applications.flatMap((planned) => {
    if (planned.tokensPort === undefined) return [];
    const env = { ...tokensVariables(plan, planned, keys), ...loginVariables(plan, planned, keys) };
    const verb = planned.login === undefined ? "tokens" : "sidecar";
    return [
      server(
        `${planned.name}-${verb}`,
        `the ${verb === "tokens" ? "token API" : "sidecar"} of ${planned.name}`,
        verb,
        env,
      ),
    ];
  });
  return [
    ...servers,
    ...beside,
    ...plan.applications.flatMap((planned) => programSpec(options, planned, base)),
  ];
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
    env: { ...base, ...applicationVariables(options.plan, planned) },
    folder: program.folder,
    logFile: join(options.logs, `${planned.name}.log`),
  };
  if ("module" in program) {
    // what the application of a demo listens on is for this machine only
    const env = { ...spec.env, HOST: "127.0.0.1" };
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
    },
  ];
}

function stateOf(plan: Plan): DevState {
  const at = endpointsOf(plan);
  const brief = ({
    issuer,
    jwksUri,
  }: {
    issuer: string;
    jwksUri: string;
  }): { issuer: string; jwksUri: string } => ({ issuer, jwksUri });
  return {
    pid: process.pid,
    cluster: plan.cluster,
    providers: {
      idporten: brief(at.idporten),
      entra: brief(at.entra),
      maskinporten: brief(at.maskinporten),
      tokenx: brief(at.tokenx),
    },
    control: at.control,
    applications: Object.fromEntries(
      plan.applications.map((planned) => [
        planned.name,
        {
          id: planned.application.id,
          url: planned.url,
          direct: `http://localhost:${planned.port}`,
          ...(planned.tokensPort === undefined ? {} : { tokens: `http://127.0.0.1:${planned.tokensPort}` }),
          ...(planned.login === undefined ? {} : { login: planned.login.provider }),
          clients: { ...planned.clients },
        },
      ]),
    ),
  };
}

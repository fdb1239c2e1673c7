import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { movedTo, type Application } from "@portvakt/policy";
import { CommandError } from "../failure.ts";
import { whenAborted } from "../ending.ts";
import { changePlatform, type Prepared } from "./change.ts";
import { endpointsOf } from "./endpoints.ts";
import { serversOf } from "./environment.ts";
import { keepKeys, wantedKeys, writePrivate } from "./keys.ts";
import type { Declared } from "./manifests.ts";
import { worthShowing } from "./log-lines.ts";
import { makePlan, type Plan } from "./plan.ts";
import { planOnFreePorts } from "./ports.ts";
import { NeverListened, supervise, type ProcessSpec, type Supervised, type Watcher } from "./process.ts";
import { registrationsOf, scopeName } from "./registrations.ts";
import { processSpecs, type Specs } from "./specs.ts";
import {
  birthOf,
  readState,
  removeState,
  writeApplications,
  writeState,
  type DevState,
} from "../running/state.ts";
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
  /** Ends a start that is under way. */
  readonly signal: AbortSignal;
}

/** A platform that runs: every process listens, and TokenX knows every client. */
export interface Platform {
  readonly plan: Plan;
  readonly state: DevState;
  readonly logs: string;
  /** Takes other applications in the place of those of before; gives what that started or started again. */
  change(
    declared: readonly Declared[],
  ): Promise<{ readonly plan: Plan; readonly started: readonly string[] }>;
  stop(): Promise<void>;
}

const startSeconds = 60;
const graceSeconds = 5;

/**
 * Starts the whole platform at once and waits until every part of it listens. What was started is ended again when one
 * of them cannot start; with the signal aborted meanwhile, that is all, and there is no platform.
 *
 * *Throws*: CommandError.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform | undefined> {
  const { declared, stateFolder, now, watcher, signal } = options;
  await refuseSecond(stateFolder);
  const plan = await planOnFreePorts((base) => makePlan(applicationsOf(declared), base), options.port);
  const logs = join(stateFolder, "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const prepared = await prepare(options, plan, declared);
  // what the keys of another time sealed, nobody can open any more; everything in it is registered anew below
  if (prepared.keys.isNew) await rm(join(stateFolder, "tokenx"), { recursive: true, force: true });

  const crew = newCrew(options);
  const { running, launch } = crew;
  const failed = new AbortController();
  try {
    await startInOrder({
      specs: prepared.specs,
      launch,
      register: () => registerWithTokenx({ plan, keys: prepared.keys, now }),
      signal: AbortSignal.any([signal, failed.signal]),
    });
    crew.everybodyIsThere();
    // last, so that nobody waits for it; it says itself when it is up
    const console = launch(prepared.specs.console);
    const { console: address } = endpointsOf(plan);
    console.listening.then(() => watcher.line(console.spec, `it is up: ${address}`)).catch(() => {});
    const state = stateOf(plan, declared, running);
    await writeApplications(stateFolder, placed(declared));
    await writeState(stateFolder, state);
    const { change, settled } = changer({ options, prepared, running, launch });
    const stop = async (): Promise<void> => {
      await crew.stop();
      await settled();
      await removeState(stateFolder);
    };
    return { plan, state, logs, change, stop };
  } catch (error) {
    failed.abort("another process could not start"); // nobody waits for the others any more
    await crew.stop();
    await removeState(stateFolder);
    if (signal.aborted) return undefined;
    throw error instanceof NeverListened ? explained(error) : error;
  }
}

/** The processes of a platform, by name. */
interface Crew {
  readonly running: Map<string, Supervised>;
  /** *Throws*: CommandError once they are told to end: a change that is under way starts nobody any more. */
  launch(spec: ProcessSpec): Supervised;
  everybodyIsThere(): void;
  stop(): Promise<void>;
}

function newCrew({ watcher, now, verbose }: PlatformOptions): Crew {
  const running = new Map<string, Supervised>();
  let [ready, ending] = [false, false];
  // while everybody starts at once, everybody warns of those that are not there yet
  const patient: Watcher = {
    ...watcher,
    line: (spec, text) => (ready || spec.loud) && watcher.line(spec, text),
  };
  const launch = (spec: ProcessSpec): Supervised => {
    if (ending) throw new CommandError("the platform is ending");
    const process = supervise(verbose === true ? { ...spec, loud: true } : spec, patient, now);
    running.set(spec.name, process);
    // who starts later than the others has nobody who waits for it
    process.listening.catch((error: unknown) => {
      if (ready && error instanceof NeverListened) watcher.died(spec, error.how, undefined);
    });
    return process;
  };
  const stop = async (): Promise<void> => {
    ending = true;
    await Promise.all([...running.values()].map((process) => process.stop(graceSeconds)));
  };
  return { running, launch, everybodyIsThere: () => void (ready = true), stop };
}

/** The applications with the whole paths of their manifests, for whoever reads them in another folder. */
function placed(declared: readonly Declared[]): Application[] {
  return declared.map(({ application, manifest }) => movedTo(application, manifest));
}

function applicationsOf(declared: readonly Declared[]): Application[] {
  return declared.map(({ application }) => application);
}

/** Keys, the stand-ins' registrations and the processes of a plan. */
async function prepare(
  options: PlatformOptions,
  plan: Plan,
  declared: readonly Declared[],
): Promise<Prepared> {
  const { stateFolder } = options;
  const keys = await keepKeys(join(stateFolder, "keys.json"), wantedKeys(plan));
  const registrationsFile = join(stateFolder, "registrations.json");
  await writePrivate(registrationsFile, `${JSON.stringify(registrationsOf(plan, keys.public), null, 2)}\n`);
  const serversFile = join(stateFolder, "servers.json");
  await writePrivate(serversFile, `${JSON.stringify(serversOf(plan))}\n`);
  const logs = join(stateFolder, "logs");
  return {
    plan,
    keys,
    specs: processSpecs({ ...options, declared, plan, keys, logs, registrationsFile, serversFile }),
  };
}

/** Changes a running platform, one change after the other; `settled` once none is under way. */
function changer(parts: {
  options: PlatformOptions;
  prepared: Prepared;
  running: Map<string, Supervised>;
  launch: (spec: ProcessSpec) => Supervised;
}): { readonly change: Platform["change"]; settled(): Promise<void> } {
  const { options, running, launch } = parts;
  const { stateFolder, now } = options;
  let current = parts.prepared;
  let last: Promise<unknown> = Promise.resolve();
  const change: Platform["change"] = async (declared) => {
    const after = await prepare(
      options,
      makePlan(applicationsOf(declared), current.plan.base, current.plan),
      declared,
    );
    const { control } = endpointsOf(after.plan);
    const started = await changePlatform({
      before: current,
      after,
      running,
      launch,
      control,
      now,
      graceSeconds,
    });
    current = after;
    await writeApplications(stateFolder, placed(declared));
    await writeState(stateFolder, stateOf(after.plan, declared, running));
    return { plan: after.plan, started };
  };
  const inTurn: Platform["change"] = (declared) => {
    const next = last.then(() => change(declared));
    last = next.catch(() => {}); // whoever asked for that change hears of it
    return next;
  };
  return { change: inTurn, settled: async () => void (await last) };
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

/** The servers and the applications at once; whatever asks the stand-ins while it starts, once they can answer. */
async function startInOrder(o: {
  specs: Specs;
  launch: (spec: ProcessSpec) => Supervised;
  register: () => Promise<void>;
  signal: AbortSignal;
}): Promise<void> {
  const { specs, launch, signal } = o;
  const standins = launch(specs.standins);
  const tokenx = launch(specs.tokenx);
  /** One first, then the others: on a fresh clone, what the first has compiled the others find in the cache. */
  const oneFirst = async ([first, ...others]: readonly ProcessSpec[]): Promise<void> => {
    if (first !== undefined) await everyoneListens([launch(first)], signal);
    await everyoneListens(others.map(launch), signal);
  };
  await Promise.all([
    everyoneListens([tokenx], signal).then(o.register),
    oneFirst(specs.applications),
    everyoneListens([standins], signal).then(() => oneFirst(specs.sidecars)),
  ]);
}

async function everyoneListens(running: readonly Supervised[], signal: AbortSignal): Promise<void> {
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
    const ended = whenAborted(signal).then((why) => Promise.reject(new Error(why)));
    await Promise.race([all, late.promise, ended]);
  } finally {
    clearTimeout(timer);
  }
}

function explained(error: NeverListened): CommandError {
  const { spec, message } = error;
  const telling = error.tail.flatMap((line) => worthShowing(line, true) ?? []);
  const last = spec.loud === true ? [] : [...new Set(telling)].map((line) => `\n${line}`);
  const above = spec.loud === true ? "what it said is above; " : "";
  return new CommandError(`${message}${last.join("")}`, {
    hints: [`${above}the whole log is in ${spec.logFile}`],
    cause: error,
  });
}

function stateOf(
  plan: Plan,
  declared: readonly Declared[],
  running: ReadonlyMap<string, Supervised>,
): DevState {
  const at = endpointsOf(plan);
  const brief = ({
    issuer,
    jwksUri,
  }: {
    issuer: string;
    jwksUri: string;
  }): { issuer: string; jwksUri: string } => ({ issuer, jwksUri });
  const born = birthOf(process.pid);
  return {
    pid: process.pid,
    ...(born === undefined ? {} : { born }),
    processes: Object.fromEntries(
      [...running.values()].flatMap(({ spec, pid }) => (pid === undefined ? [] : [[spec.name, pid]])),
    ),
    cluster: plan.cluster,
    manifests: [...new Set(declared.map(({ manifest }) => manifest))],
    providers: {
      idporten: brief(at.idporten),
      entra: brief(at.entra),
      maskinporten: brief(at.maskinporten),
      tokenx: brief(at.tokenx),
    },
    control: at.control,
    console: at.console,
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
          ...offersOf(planned.application),
        },
      ]),
    ),
  };
}

function offersOf({ namespace, maskinporten }: Application): { offers?: readonly string[] } {
  const offers = (maskinporten?.exposes ?? []).filter(({ enabled }) => enabled);
  return offers.length === 0 ? {} : { offers: offers.map((scope) => scopeName(namespace, scope)) };
}

import { join, resolve } from "node:path";
import { compareAccess, createLandscape, type Landscape } from "@portvakt/policy";
import { planWords } from "../access/plan-words.ts";
import { CommandError, exitCodes, systemReason, usageError, type ExitCode } from "../failure.ts";
import { tell, type Terminal } from "../terminal.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { endingSignal, whenAborted } from "../ending.ts";
import { envFile, impossible, unwritable } from "../running/env-file.ts";
import { makePrivateFolder } from "../running/folder.ts";
import { applicationVariables, overruled } from "./environment.ts";
import { writePrivate } from "./keys.ts";
import { demoApplications, foreignApplications, type Declared } from "./manifests.ts";
import type { Plan } from "./plan.ts";
import { startPlatform, type Platform } from "./platform.ts";
import type { Watcher } from "./process.ts";
import { manifestPlaces, type ManifestPlaces } from "../manifests/files.ts";
import { watchManifests } from "./watch.ts";

const cluster = "local";
const defaultPort = 7000;

/** `portvakt dev`: starts the platform, says where everything is, and runs until it is told to end. */
export async function runDev(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const { terminal, now } = around;
  const began = now();
  const port = portOf(args);
  const declared = await declaredBy(args, around);
  const stateFolder = resolve(around.folder, text(args, "state") ?? ".portvakt");
  await makePrivateFolder(stateFolder).catch((cause: unknown) => {
    const reason = systemReason(cause);
    const why = reason === undefined ? "" : `: ${reason}`;
    throw new CommandError(`the folder ${stateFolder} cannot be made${why}`, {
      hints: ["`--state` names another"],
      cause,
    });
  });
  const ending = endingSignal();
  terminal.err(
    terminal.paint("dim", `starting the platform for ${counted(declared.length, "application")} ...\n`),
  );
  const platform = await startPlatform({
    declared,
    stateFolder,
    port,
    env: around.env,
    now,
    watcher: talker(terminal),
    verbose: flag(args, "verbose"),
    signal: ending,
  });
  if (platform === undefined) {
    terminal.err(`${String(ending.reason)}: ended before everything was up\n`);
    return exitCodes.yes;
  }
  try {
    await runUntil(ending, { platform, declared, args, around, stateFolder, began });
  } finally {
    await platform.stop();
  }
  return exitCodes.yes;
}

interface Run {
  readonly platform: Platform;
  readonly declared: readonly Declared[];
  readonly args: Arguments;
  readonly around: Surroundings;
  readonly stateFolder: string;
  /** When it was asked for, in seconds. */
  readonly began: number;
}

/** Follows the manifests and says where everything is; settles when it is told to end. *Throws* what nobody foresaw. */
async function runUntil(ending: AbortSignal, run: Run): Promise<void> {
  const { platform, declared, args, around, began } = run;
  const { terminal, now } = around;
  const others = await variablesForOthers(platform.plan, declared, run.stateFolder);
  // said once, however often the manifests change
  const told = new Set<string>();
  tellOverruled(platform.plan, told, terminal);
  const over = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  try {
    const signal = AbortSignal.any([ending, over.signal]);
    // before anybody is told: what is written from then on is seen
    await followManifests(run, told, { signal, failed: failed.reject });
    if (flag(args, "json")) terminal.out(`${JSON.stringify(platform.state)}\n`);
    else terminal.out(greeting(platform, terminal, now() - began, others));
    const why = await Promise.race([whenAborted(ending), failed.promise]);
    terminal.err(`\n${terminal.paint("dim", `${why}: ending everything`)}\n`);
  } finally {
    over.abort();
  }
}

async function declaredBy(args: Arguments, around: Surroundings, ran?: string): Promise<Declared[]> {
  const files = texts(args, "file");
  if (flag(args, "demo")) {
    if (files.length > 0)
      throw usageError("--demo brings its own manifests, so that -f has no place beside it", "dev");
    return await demoApplications(cluster);
  }
  if (files.length === 0) throw usageError("dev wants --demo, or a manifest with -f", "dev");
  const values = texts(args, "values");
  const declared = await foreignApplications({
    files,
    values,
    command: args.rest,
    ran,
    folder: around.folder,
    cluster,
  });
  refuseVariables(declared);
  return declared;
}

/** Refuses variables that a process, or the file of those that nobody starts here, cannot hold. */
function refuseVariables(declared: readonly Declared[]): void {
  const troubles = declared.flatMap(({ application, program }) =>
    Object.entries(application.env).flatMap(([name, value]) => {
      const why = (program === undefined ? unwritable : impossible)(name, value);
      return why === undefined ? [] : [{ sentence: `${application.source.file}: ${why}`, hints: [] }];
    }),
  );
  const [first, ...others] = troubles;
  if (first !== undefined) throw new CommandError(first.sentence, { others, exitCode: exitCodes.usage });
}

/** What a change may come from: the manifests, the folders with them, and the values for their templates. */
async function placesOf(
  args: Arguments,
  declared: readonly Declared[],
  folder: string,
): Promise<ManifestPlaces> {
  if (flag(args, "demo")) return { files: declared.map(({ manifest }) => manifest), folders: [] };
  return await manifestPlaces([...texts(args, "file"), ...texts(args, "values")], folder);
}

/** Takes every change of a manifest over as soon as it is written; one with mistakes changes nothing but says so. */
async function followManifests(
  { platform, declared, args, around, stateFolder }: Run,
  told: Set<string>,
  until: { readonly signal: AbortSignal; readonly failed: (error: unknown) => void },
): Promise<void> {
  const { terminal, now } = around;
  const ran = declared.find(({ program }) => program !== undefined)?.application.id;
  let before = landscapeOfDeclared(declared);
  const putInForce = async (young: readonly Declared[]): Promise<readonly string[]> => {
    const { plan, started } = await platform.change(young);
    await variablesForOthers(plan, young, stateFolder);
    tellOverruled(plan, told, terminal);
    return started;
  };
  const take = async (): Promise<void> => {
    const began = now();
    let left = unchanged;
    try {
      const young = await declaredBy(args, around, ran);
      left = incomplete;
      const started = await putInForce(young);
      const after = landscapeOfDeclared(young);
      const words = planWords(compareAccess(before, after, now()), terminal);
      before = after;
      terminal.err(
        `${terminal.paint("green", "the manifests are in force")} after ${(now() - began).toFixed(2)} s\n${words}`,
      );
      if (started.length > 0)
        terminal.err(`${terminal.paint("dim", `started again: ${started.join(", ")}`)}\n`);
    } catch (error) {
      if (until.signal.aborted) return; // what failed because everything ends is no news
      if (!(error instanceof CommandError)) throw error;
      tell(error, terminal);
      terminal.err(`${terminal.paint("yellow", left.what)}: ${left.so}\n`);
    }
  };
  const places = async (): Promise<ManifestPlaces> => await placesOf(args, declared, around.folder);
  await watchManifests(places, { ...until, changed: () => void take().catch(until.failed) });
}

/** Where a change that failed leaves the platform. */
const unchanged = { what: "nothing was changed", so: "the manifests of before stay in force" };
const incomplete = {
  what: "the change is not complete",
  so: "it is tried again when a manifest is written",
};

function landscapeOfDeclared(declared: readonly Declared[]): Landscape {
  return createLandscape(declared.map(({ application }) => application));
}

/** An application that is not started here gets its variables in a file, to be started with by hand. */
async function variablesForOthers(
  plan: Plan,
  declared: readonly Declared[],
  folder: string,
): Promise<string[]> {
  const others = plan.applications.filter(({ application }) =>
    declared.some((one) => one.application === application && one.program === undefined),
  );
  return await Promise.all(
    others.map(async (planned) => {
      const file = join(folder, `${planned.name}.env`);
      await writePrivate(file, envFile(applicationVariables(plan, planned)));
      return `Start ${planned.name} yourself, with its variables: node --env-file=${file} ...`;
    }),
  );
}

/** Says, once, which of their own variables applications do not get here. */
function tellOverruled(plan: Plan, told: Set<string>, terminal: Terminal): void {
  for (const planned of plan.applications)
    for (const [name, value] of Object.entries(overruled(plan, planned))) {
      const sentence = `${name} is ${value} here, whatever its manifest says: the platform sets it`;
      const line = `${terminal.paint("cyan", planned.name)}  ${sentence}\n`;
      if (!told.has(line)) terminal.err(line);
      told.add(line);
    }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function portOf(args: Arguments): number {
  const given = text(args, "port");
  if (given === undefined) return defaultPort;
  const port = Number(given);
  if (port === 0 || (Number.isInteger(port) && port >= 1024 && port <= 64_000)) return port;
  throw usageError(`--port wants 0 or a number from 1024 to 64000, not ${given}`, "dev");
}

/** Says on stderr what the processes have to say, each line under its name. */
export function talker(terminal: Terminal): Watcher {
  const say = (name: string, words: string): void =>
    terminal.err(`${terminal.paint("cyan", name)}  ${words}\n`);
  return {
    line: (spec, words) => say(spec.name, words),
    note: (spec, sentence) => say(spec.name, terminal.paint("yellow", sentence)),
    died: (spec, how, again) => {
      const next =
        again === undefined
          ? `it is not started again; its log is ${spec.logFile}`
          : `starting it again in ${again} s`;
      say(spec.name, terminal.paint("red", `${spec.title} ended unexpectedly (${how}); ${next}`));
    },
    back: (spec) => say(spec.name, terminal.paint("green", `${spec.title}: it is back`)),
  };
}

function greeting(
  platform: Platform,
  terminal: Terminal,
  seconds: number,
  others: readonly string[],
): string {
  const { plan, state, logs } = platform;
  const { paint } = terminal;
  const row = (name: string, address: string, note: string): string =>
    `  ${name.padEnd(18)} ${paint("bold", address.padEnd(24))} ${paint("dim", note)}`.trimEnd();
  const login = {
    idporten: "citizens sign in with ID-porten",
    azure: "employees sign in with Entra ID",
  } as const;
  return [
    "",
    `${paint("green", "Portvakt is up")} after ${seconds.toFixed(1)} s.`,
    "",
    ...plan.applications.map((planned) =>
      row(planned.name, planned.url, planned.login ? login[planned.login.provider] : ""),
    ),
    "",
    row("ID-porten", state.providers.idporten.issuer, "stand-in"),
    row("Entra ID", state.providers.entra.issuer.replace(/(:\d+)\/.*$/, "$1"), "stand-in"),
    row("Maskinporten", state.providers.maskinporten.issuer.replace(/\/$/, ""), "stand-in"),
    row("TokenX", state.providers.tokenx.issuer, ""),
    row("control", state.control, "the stand-ins' control API"),
    row("console", state.console, "who may call whom, what was refused, and why; up in a moment"),
    "",
    ...tryFirst(platform),
    ...others,
    `Logs are in ${logs}. Ctrl-C ends everything.`,
    "",
  ].join("\n");
}

function tryFirst(platform: Platform): string[] {
  const { applications } = platform.state;
  const { portal, caseworker, snoop } = applications;
  if (portal === undefined || caseworker === undefined || snoop === undefined) return [];
  return [
    "Try first:",
    `  1. Open ${portal.url} and sign in as Kari: her application, and her income from two hops away.`,
    `  2. Open ${caseworker.url} and sign in as Anna: cases, read on her behalf.`,
    `  3. Open ${snoop.url} to see what happens to an application that nobody admits.`,
    "  4. Run `npx portvakt tour` in another terminal: all seven journeys, timed.",
    "",
  ];
}

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compareAccess, createLandscape, type Landscape } from "@portvakt/policy";
import { planWords } from "../access/plan-words.ts";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { tell, type Terminal } from "../terminal.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { endingSignal, whenAborted } from "../ending.ts";
import { applicationVariables, envFile } from "./environment.ts";
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
  await mkdir(stateFolder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new CommandError(`the folder ${stateFolder} cannot be made`, {
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
  const others = await variablesForOthers(platform.plan, declared, stateFolder);
  const ran = declared.find(({ program }) => program !== undefined)?.application.id;
  const read = async (): Promise<Declared[]> => await declaredBy(args, around, ran);
  const places = async (): Promise<ManifestPlaces> => await placesOf(args, declared, around.folder);
  // before anybody is told: what is written from then on is seen
  await followManifests({ platform, declared, read, places, stateFolder, around, signal: ending });
  if (flag(args, "json")) terminal.out(`${JSON.stringify(platform.state)}\n`);
  else terminal.out(greeting(platform, terminal, now() - began, others));
  const why = await whenAborted(ending);
  terminal.err(`\n${terminal.paint("dim", `${why}: ending everything`)}\n`);
  await platform.stop();
  return exitCodes.yes;
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
  return await foreignApplications({
    files,
    values,
    command: args.rest,
    ran,
    folder: around.folder,
    cluster,
  });
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
async function followManifests(o: {
  platform: Platform;
  declared: readonly Declared[];
  read: () => Promise<Declared[]>;
  places: () => Promise<ManifestPlaces>;
  stateFolder: string;
  around: Surroundings;
  signal: AbortSignal;
}): Promise<void> {
  const { platform, read, places, around, signal } = o;
  const { terminal, now } = around;
  let before = landscapeOfDeclared(o.declared);
  const take = async (): Promise<void> => {
    const began = now();
    const declared = await read();
    const { plan, started } = await platform.change(declared);
    await variablesForOthers(plan, declared, o.stateFolder);
    const after = landscapeOfDeclared(declared);
    const words = planWords(compareAccess(before, after, now()), terminal);
    before = after;
    terminal.err(
      `${terminal.paint("green", "the manifests are in force")} after ${(now() - began).toFixed(2)} s\n${words}`,
    );
    if (started.length > 0)
      terminal.err(`${terminal.paint("dim", `started again: ${started.join(", ")}`)}\n`);
  };
  const changed = (): void => void take().catch((error: unknown) => complain(error, terminal));
  await watchManifests(places, changed, signal);
}

function landscapeOfDeclared(declared: readonly Declared[]): Landscape {
  return createLandscape(declared.map(({ application }) => application));
}

function complain(error: unknown, terminal: Terminal): void {
  if (!(error instanceof CommandError)) throw error;
  tell(error, terminal);
  terminal.err(`${terminal.paint("yellow", "nothing was changed")}: the manifests of before stay in force\n`);
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
    died: (spec, how, again) => {
      const next =
        again === undefined
          ? `it has ended too often, and is not started again; its log is ${spec.logFile}`
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

import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { endingSignal, whenAborted } from "../ending.ts";
import { demoApplications, foreignApplications, type Declared } from "./manifests.ts";
import { startPlatform, type Platform } from "./platform.ts";
import type { Watcher } from "./process.ts";

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
  terminal.out(greeting(platform, terminal, now() - began));
  const why = await whenAborted(ending);
  terminal.err(`\n${terminal.paint("dim", `${why}: ending everything`)}\n`);
  await platform.stop();
  return exitCodes.yes;
}

async function declaredBy(args: Arguments, around: Surroundings): Promise<Declared[]> {
  const files = texts(args, "file");
  if (flag(args, "demo")) {
    if (files.length > 0)
      throw usageError("--demo brings its own manifests, so that -f has no place beside it", "dev");
    return await demoApplications(cluster);
  }
  if (files.length === 0) throw usageError("dev wants --demo, or a manifest with -f", "dev");
  return await foreignApplications({ files, command: args.rest, folder: around.folder, cluster });
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

function greeting(platform: Platform, terminal: Terminal, seconds: number): string {
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
    "",
    ...tryFirst(platform),
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

import { resolve } from "node:path";
import { CommandError, exitCodes, type ExitCode } from "../failure.ts";
import { declaration } from "../manifests/declared.ts";
import { readState } from "../running/state.ts";
import type { Terminal } from "../terminal.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";
import { keyFindings, manifestFindings } from "./declarations.ts";
import { bad, type Finding } from "./finding.ts";
import { noPlatform, platformChecks } from "./platform.ts";
import { expectedProviders, providerCheck } from "./providers.ts";

/** `portvakt doctor`: looks at everything that usually goes wrong; 1 when something does not work. */
export async function runDoctor(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const { env, now, folder, terminal } = around;
  const running = await readState(resolve(folder, text(args, "state") ?? ".portvakt"));
  const checks = [
    ...expectedProviders(env, running).map((expected) => providerCheck(expected, now)),
    ...(running === undefined ? [async () => [noPlatform()]] : platformChecks(running)),
  ];
  const found = await Promise.all(checks.map(async (check) => await check()));
  const findings = [
    ...(await declared(args, around)),
    ...found.flat(),
    ...(await keyFindings(resolve(folder, ".portvakt/client-keys"), now())),
  ];
  if (flag(args, "json")) terminal.out(`${JSON.stringify({ findings })}\n`);
  else terminal.out(words(findings, flag(args, "all"), terminal));
  return findings.some(({ state }) => state === "bad") ? exitCodes.no : exitCodes.yes;
}

/** The manifests, where there are any: mistakes in them are findings, and no reason to stop. */
async function declared(args: Arguments, around: Surroundings): Promise<readonly Finding[]> {
  try {
    return manifestFindings(await declaration("doctor", args, around));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const troubles = [{ sentence: error.message, hints: error.hints }, ...error.others];
    if (error.message.startsWith("doctor needs manifests")) return [];
    return troubles.map(({ sentence, hints }) => bad("manifests", sentence, hints.join("; ")));
  }
}

const marks = { good: ["green", "ok  "], note: ["yellow", "note"], bad: ["red", "BAD "] } as const;

function words(findings: readonly Finding[], all: boolean, { paint }: Terminal): string {
  const shown = findings.filter(({ state }) => all || state !== "good");
  const lines = shown.flatMap(({ about, state, detail, fix }) => {
    const [colour, mark] = marks[state];
    return [
      `${paint(colour, mark)}  ${about}: ${detail}`,
      ...(fix === undefined ? [] : [`      ${paint("cyan", "fix:")} ${fix}`]),
    ];
  });
  const count = (state: Finding["state"]): number => findings.filter((one) => one.state === state).length;
  const sum = `${count("good")} good, ${count("note")} to know, ${count("bad")} that do not work.`;
  return `${[...lines, ...(lines.length > 0 ? [""] : []), sum].join("\n")}\n`;
}

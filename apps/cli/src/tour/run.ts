import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { demoApplications } from "../dev/manifests.ts";
import { startPlatform } from "../dev/platform.ts";
import { endingSignal } from "../ending.ts";
import { readState, type DevState } from "../running/state.ts";
import { talker } from "../dev/run.ts";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { createBrowser } from "./browser/browser.ts";
import { Failed } from "./failed.ts";
import { createAsk } from "./http.ts";
import type { Journey, JourneyResult, Trip } from "./journey.ts";
import { journeys } from "./journeys/index.ts";

/** `portvakt tour`: every journey in turn, a line each; 0 when all went well, 1 when one did not. */
export async function runTour(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const { terminal } = around;
  const asJson = flag(args, "json");
  const chosen = choose(texts(args, "only"));
  const place = await platformToTour(args, around, asJson);
  try {
    const ask = createAsk(place.state);
    const trip: Trip = { state: place.state, ask, browser: () => createBrowser(ask), now: around.now };
    const results: JourneyResult[] = [];
    for (const journey of chosen) {
      const result = await travel(journey, trip);
      results.push(result);
      if (!asJson) terminal.out(line(result, terminal));
    }
    if (asJson) terminal.out(`${JSON.stringify({ journeys: results.map(brief) })}\n`);
    if (asJson) for (const result of results) if (!result.ok) terminal.err(line(result, terminal));
    return results.every((result) => result.ok) ? exitCodes.yes : exitCodes.no;
  } finally {
    await place.leave();
  }
}

function choose(ids: readonly string[]): readonly Journey[] {
  const unknown = ids.find((id) => !journeys.some((journey) => journey.id === id));
  if (unknown !== undefined) {
    throw usageError(
      `there is no journey ${unknown}; there are ${journeys.map(({ id }) => id).join(", ")}`,
      "tour",
    );
  }
  return ids.length === 0 ? journeys : journeys.filter(({ id }) => ids.includes(id));
}

interface Place {
  readonly state: DevState;
  leave(): Promise<void>;
}

/** The platform that runs in the state folder, or else one of our own that ends with the tour. */
async function platformToTour(args: Arguments, around: Surroundings, quiet: boolean): Promise<Place> {
  const { terminal, env, now } = around;
  const running = await readState(resolve(around.folder, text(args, "state") ?? ".portvakt"));
  if (running !== undefined) return { state: running, leave: async () => {} };
  if (!quiet) terminal.err(terminal.paint("dim", "no platform is running here: starting one for the tour\n"));
  const stateFolder = await mkdtemp(join(tmpdir(), "portvakt-tour-"));
  const removeFolder = async (): Promise<void> => await rm(stateFolder, { recursive: true, force: true });
  try {
    const declared = await demoApplications("local");
    const signal = endingSignal();
    const watcher = talker(terminal);
    const platform = await startPlatform({ declared, stateFolder, port: 0, env, now, watcher, signal });
    if (platform === undefined) throw new CommandError(`the tour did not begin: ${String(signal.reason)}`);
    const leave = async (): Promise<void> => {
      await platform.stop();
      await removeFolder();
    };
    signal.addEventListener("abort", () => void leave().then(() => process.exit(exitCodes.trouble)));
    return { state: platform.state, leave };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

const mostTries = 4;
const pauseMs = 2_500;

/** Travels; a server that answers "not right now" gets the time to come back that a person would give it. */
async function travel(
  journey: Journey,
  trip: Trip,
  tries = 1,
  began = performance.now(),
): Promise<JourneyResult> {
  const { id, name } = journey;
  const ms = (): number => Math.round(performance.now() - began);
  try {
    const seen = await journey.travel(trip);
    return { id, name, ok: true, ms: ms(), seen };
  } catch (error) {
    if (error instanceof Failed && error.passing && tries < mostTries) {
      await delay(pauseMs);
      return await travel(journey, trip, tries + 1, began);
    }
    if (error instanceof Failed) {
      return {
        id,
        name,
        ok: false,
        ms: ms(),
        seen: [],
        failure: { sentence: error.message, hint: error.hint },
      };
    }
    const sentence = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { id, name, ok: false, ms: ms(), seen: [], failure: { sentence, hint: undefined } };
  }
}

function line(result: JourneyResult, { paint }: Terminal): string {
  const mark = result.ok ? paint("green", "ok  ") : paint("red", "FAIL");
  const head = `${mark}  ${result.id}  ${result.name.padEnd(52)} ${paint("dim", `${String(result.ms).padStart(5)} ms`)}\n`;
  const indent = " ".repeat(11);
  if (result.failure === undefined)
    return head + result.seen.map((seen) => `${indent}${paint("dim", seen)}\n`).join("");
  const { sentence, hint } = result.failure;
  return `${head}${indent}${sentence}\n${hint === undefined ? "" : `${indent}${paint("cyan", "hint:")} ${hint}\n`}`;
}

function brief({ id, name, ok, ms }: JourneyResult): { id: string; name: string; ok: boolean; ms: number } {
  return { id, name, ok, ms };
}

import { parseApplicationId } from "@portvakt/policy";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration } from "../manifests/declared.ts";
import type { Arguments, Surroundings } from "../verb.ts";
import { verbs } from "../verbs.ts";
import { bash, fish, zsh } from "./shells.ts";

const shells: Readonly<Record<string, typeof bash>> = { bash, zsh, fish };

/** What the scripts ask for themselves, and people need not. */
const applications = "applications";

/** `portvakt completion`: a script for a shell. */
export async function runCompletion(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const [shell = ""] = args.words;
  if (shell === applications) return await listApplications(around);
  const write = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (write === undefined) {
    throw usageError(`completion wants one of ${Object.keys(shells).join(", ")}, not ${shell}`, "completion");
  }
  around.terminal.out(write(verbs));
  return exitCodes.yes;
}

/** The names of the applications that are declared here, for a shell: none is no error. */
async function listApplications(around: Surroundings): Promise<ExitCode> {
  try {
    const declared = await declaration("completion", { values: {}, words: [], rest: [] }, around);
    // what another program wrote down may call itself anything, and shells read what this says
    const names = [...declared.applications.keys()].flatMap((id) => parseApplicationId(id)?.name ?? []);
    around.terminal.out([...new Set(names)].map((name) => `${name}\n`).join(""));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  return exitCodes.yes;
}

import {
  compareAccess,
  createLandscape,
  takesAccess,
  ways,
  type Application,
  type Changes,
  type Landscape,
} from "@portvakt/policy";
import { exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration, readLandscape } from "../manifests/declared.ts";
import { landscapeAt } from "../tokenx/known.ts";
import { registrarFor } from "../tokenx/open.ts";
import { planWords } from "./plan-words.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";

/** `portvakt plan`: what would change if these manifests took the place of those that count today. */
export async function runPlan(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const against = text(args, "against");
  if (against === undefined)
    throw usageError("plan wants --against: manifests that count today, or a TokenX", "plan");
  const { terminal, now } = around;
  const after = await declaration("plan", args, around);
  const isServer = /^https?:\/\//.test(against);
  const changes = isServer
    ? await changesAtServer(after, { args, around, url: against, running: after.running })
    : compareAccess(await readLandscape([against], args, around), after, now());
  if (flag(args, "json")) terminal.out(`${JSON.stringify(changes)}\n`);
  else terminal.out(planWords(changes, terminal));
  return takesAccess(changes) ? exitCodes.no : exitCodes.yes;
}

/** Only what a TokenX knows can be compared with it: applications that use it, and calls on behalf of citizens. */
async function changesAtServer(
  after: Landscape,
  where: Omit<Parameters<typeof registrarFor>[0], "verb">,
): Promise<Changes> {
  const registrar = await registrarFor({ verb: "plan", ...where });
  const before = landscapeAt(await registrar.list(), registrar.issuer);
  return changesAt(before, after, where.around.now());
}

/** What registering these applications would change at a TokenX that knows those of `before`. It forgets nobody. */
export function changesAt(before: Landscape, after: Landscape, now: number): Changes {
  const mine = [...after.applications.values()].filter(ways.citizen.uses);
  const kept = [...before.applications.values()].filter(({ id }) => !after.applications.has(id));
  const next = createLandscape([...mine.map(citizensOnly), ...kept], { complete: true });
  return compareAccess(before, next, now);
}

function citizensOnly(application: Application): Application {
  return { ...application, azure: undefined, maskinporten: undefined };
}

import { changeKinds, ways, type Changes } from "@portvakt/policy";
import { changesAt } from "../access/plan.ts";
import { planWords } from "../access/plan-words.ts";
import { CommandError, exitCodes, type ExitCode } from "../failure.ts";
import { declaration } from "../manifests/declared.ts";
import { landscapeAt } from "../tokenx/known.ts";
import { registrarFor } from "../tokenx/open.ts";
import { flag, type Arguments, type Surroundings } from "../verb.ts";
import { lockFolder } from "./lock.ts";
import { appliedWords, registerAll, type Outcome } from "./register.ts";
import { applySettings, prepareFolders } from "./settings.ts";

/** `portvakt apply`: registers the applications with TokenX, and writes their credentials. */
export async function runApply(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const settings = applySettings("apply", args, around);
  const declared = await declaration("apply", args, around);
  const registrar = await registrarFor({
    verb: "apply",
    url: undefined,
    writes: true,
    running: declared.running,
    args,
    around,
  });
  await prepareFolders(settings);
  using _lock = lockFolder(settings.store.folder);
  const known = await registrar.list();
  const changes = changesAt(landscapeAt(known, registrar.issuer), declared, around.now());
  const asJson = flag(args, "json");
  const { terminal } = around;
  if (!asJson) terminal.err(planWords(changes, terminal));
  const wanted = [...declared.applications.values()].filter(ways.citizen.uses);
  // declared here, and no longer as a client of TokenX's: others may be declared elsewhere
  const unwanted = known
    .map(({ id }) => id)
    .filter((id) => declared.applications.has(id) && !wanted.some((one) => one.id === id));
  const refusal = flag(args, "yes") ? undefined : lossIn(changes);
  const { failure, ...done }: Outcome =
    refusal === undefined
      ? await registerAll({ wanted, unwanted, registrar, known, settings, around, rotate: false })
      : { applied: [], failure: refusal };
  if (asJson) terminal.out(`${JSON.stringify({ changes, ...done })}\n`);
  if (failure !== undefined) throw failure;
  if (!asJson) terminal.out(appliedWords(done, registrar));
  return exitCodes.yes;
}

/** Access that somebody has is not taken away without being asked for. */
function lossIn({ access, wildcards }: Changes): CommandError | undefined {
  const losers = [...access, ...wildcards.map((one) => ({ ...one, actor: one.who }))].filter(
    ({ change }) => changeKinds[change].loses,
  );
  const [first] = losers;
  if (first === undefined) return undefined;
  const others = losers.length > 1 ? `, and ${losers.length - 1} more calls end` : "";
  return new CommandError(
    `nothing was applied: ${first.actor} would lose access to ${first.target}${others}`,
    { hints: ["apply with --yes when that is meant"], exitCode: exitCodes.no },
  );
}

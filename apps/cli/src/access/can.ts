import { hindrances, mayCall, wayNames, waysBetween, type Call, type WayName } from "@portvakt/policy";
import { exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration, type Declaration } from "../manifests/declared.ts";
import { applicationNamed } from "../manifests/names.ts";
import { personNamed, type Person } from "../manifests/personas.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { callLine, hindranceLines } from "./words.ts";
import { writeFixes } from "./write-fix.ts";

/** `portvakt can`: may one application call another, and if not, which manifest line would change that. */
export async function runCan(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const declared = await declaration("can", args, around);
  const [one = "", other = ""] = args.words;
  const actor = applicationNamed(one, declared);
  const target = applicationNamed(other, declared);
  const user = text(args, "user");
  const person = user === undefined ? undefined : await personNamed(user, declared.running);
  const asked = texts(args, "scope");
  const calls = waysToShow(args, person, declared, [actor, target]).map((way) =>
    mayCall(declared, {
      actor,
      target,
      way,
      now: around.now(),
      ...(asked.length === 0 ? {} : { scope: asked }),
      ...(person?.kind === "employee" ? { subject: { groups: person.groups } } : {}),
    }),
  );
  const outcome = calls.some((call) => call.outcome === "allow") ? "allow" : "deny";
  const { terminal } = around;
  if (flag(args, "json")) terminal.out(`${JSON.stringify({ actor, target, outcome, calls })}\n`);
  else terminal.out(answer(actor, target, calls, around));
  if (flag(args, "fix")) await writeFixes(calls.flatMap(hindrances), around);
  return outcome === "allow" ? exitCodes.yes : exitCodes.no;
}

/** The way that was asked for; else those that both sides are registered for; else those that one side is. */
function waysToShow(
  args: Arguments,
  person: Person | undefined,
  { applications }: Declaration,
  ids: readonly string[],
): readonly WayName[] {
  const asked = text(args, "way");
  if (asked !== undefined) return [wayNamed(asked)];
  if (person !== undefined) return [person.kind];
  return waysBetween(ids.map((id) => applications.get(id)).filter((side) => side !== undefined));
}

function wayNamed(name: string): WayName {
  const way = wayNames.find((known) => known === name);
  if (way === undefined) throw usageError(`--way wants one of ${wayNames.join(", ")}, not ${name}`, "can");
  return way;
}

/** What hinders several ways alike is said once. */
function answer(actor: string, target: string, calls: readonly Call[], { terminal }: Surroundings): string {
  const lines = [`${actor} -> ${target}`, ""];
  const said = new Set<string>();
  for (const call of calls) {
    lines.push(callLine(call, terminal));
    const { decision } = call;
    if (call.outcome === "allow") lines.push(`      ${terminal.paint("dim", decision.explanation)}`);
    const reasons = hindrances(call).filter(({ sentence }) => !said.has(sentence));
    for (const reason of reasons) said.add(reason.sentence);
    lines.push(...reasons.flatMap((reason) => hindranceLines(reason, terminal)));
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

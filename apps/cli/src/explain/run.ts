import { resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { subjectOf, type Known } from "@portvakt/explain";
import { hindrances, mayCall, wayNames, ways, type Call } from "@portvakt/policy";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { hindranceLines } from "../access/words.ts";
import { writeFixes } from "../access/write-fix.ts";
import { declaration } from "../manifests/declared.ts";
import { inspectToken } from "../token/inspect.ts";
import { inLine, type Terminal } from "../terminal.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";
import { findDecision, type LoggedDecision } from "./decision-log.ts";

/** `portvakt explain`: cause, owner and fix of a decision, a code or a token. */
export async function runExplain(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const [word = "-"] = args.words;
  const asked = word === "-" ? await readAll(around.input()) : word;
  if (asked.trim() === "")
    throw usageError("explain wants a decision's id, a code, a token or an answer", "explain");
  const subject = subjectOf(asked);
  if (subject === undefined) {
    throw new CommandError(`nothing here knows what ${shortened(asked)} is`, {
      hints: [
        "give a decision's id, a code such as AADSTS501051 or MP-200, a token, or a whole answer on stdin",
      ],
      exitCode: exitCodes.no,
    });
  }
  if (subject.kind === "token") return await inspectToken(subject.token, args, around);
  if (subject.kind === "code") return explainCode(subject.known, flag(args, "json"), around.terminal);
  const folder = resolve(around.folder, text(args, "logs") ?? `${text(args, "state") ?? ".portvakt"}/logs`);
  const logged = await findDecision(subject.id, folder);
  if (logged === undefined && subject.known !== undefined) {
    return explainCode(subject.known, flag(args, "json"), around.terminal);
  }
  if (logged === undefined) {
    throw new CommandError(`no log in ${folder} has a decision ${subject.id}`, {
      hints: [
        "name the folder of the servers' logs with --logs, or ask again with `portvakt can <app> <app>`",
      ],
      exitCode: exitCodes.no,
    });
  }
  return await explainDecision(logged, args, around);
}

function explainCode(known: Known, asJson: boolean, terminal: Terminal): ExitCode {
  const { paint } = terminal;
  const { code, kind, cause, owner, fix, uri } = known;
  if (asJson) {
    terminal.out(`${JSON.stringify(known)}\n`);
    return exitCodes.yes;
  }
  const lines = [
    `${paint("bold", code)}  ${paint("dim", kind)}`,
    "",
    `  cause       ${cause}`,
    `  whose move  ${owner}`,
    `  fix         ${fix}`,
    ...(uri === undefined ? [] : [`  more        ${uri}`]),
  ];
  terminal.out(`${lines.join("\n")}\n`);
  return exitCodes.yes;
}

/** The decision as it was logged, and what the manifests say of the same call now. */
async function explainDecision(
  logged: LoggedDecision,
  args: Arguments,
  around: Surroundings,
): Promise<ExitCode> {
  const { terminal, now } = around;
  const declared = await declaration("explain", args, around);
  const { actor, target } = logged;
  const way = wayNames.find((name) => ways[name].grant === logged.grant) ?? "itself";
  const call = mayCall(declared, { actor, target, way, now: now() });
  if (flag(args, "json")) terminal.out(`${JSON.stringify({ ...logged, now: call })}\n`);
  else terminal.out(decisionWords(logged, call, terminal));
  if (flag(args, "fix") && call.outcome === "deny") await writeFixes(hindrances(call), around);
  return exitCodes.yes;
}

function decisionWords(logged: LoggedDecision, call: Call, { paint }: Terminal): string {
  const { id, actor, target, explanation, server, time } = logged;
  const then = explanation ?? "The log does not say why.";
  const lines = [
    `${paint("bold", inLine(id))}  ${paint("dim", inLine([server, time].filter((part) => part !== undefined).join(", ")))}`,
    "",
    `  call        ${inLine(`${actor} -> ${target}`)}, ${ways[call.way].title}`,
    `  cause       ${inLine(then)}`,
  ];
  if (call.outcome === "allow") {
    return `${[...lines, "", `  The manifests here admit it now: ${call.decision.explanation}`].join("\n")}\n`;
  }
  const reasons = hindrances(call).flatMap((reason) => hindranceLines(reason, { paint }, then));
  return `${[...lines, "", ...reasons].join("\n").trimEnd()}\n`;
}

function shortened(asked: string): string {
  const line = asked.trim().split("\n")[0] ?? "";
  return line.length > 40 ? `${line.slice(0, 40)}…` : `"${line}"`;
}

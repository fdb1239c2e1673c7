/**
 * Owns: the command `portvakt`: its verbs, their help and exit codes, the development platform and the tour.
 * Does not own: what the servers do; a server verb hands over to the server's own settings and start.
 * Request path: bin/portvakt.js -> main.ts -> verbs.ts -> one verb: dev/ and tour/; access/ (can, plan, graph); token/ (token,
 * inspect) and explain/; apply/ (apply, keys); doctor/; init/; completion/; serve.ts (the servers). They read manifests through
 * manifests/, a platform that runs through running/, TokenX's registry through tokenx/.
 * Spec: exit codes 0 yes, 1 no, 2 usage, 3 trouble; an error is one sentence and `hint:` lines.
 */
import { relative } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { CommandError, exitCodes, systemReason, usageError, type ExitCode } from "./failure.ts";
import { overview, verbHelp } from "./help.ts";
import { createPaint, patient, tell } from "./terminal.ts";
import { parseVerbArguments, type Surroundings } from "./verb.ts";
import { verbs } from "./verbs.ts";

async function command(argv: readonly string[], around: Surroundings): Promise<ExitCode | undefined> {
  const [name, ...rest] = argv;
  const { terminal } = around;
  if (name === undefined) {
    terminal.err(overview(verbs));
    return exitCodes.usage;
  }
  if (name === "--version") {
    terminal.out(`${manifest.version}\n`);
    return exitCodes.yes;
  }
  if (name === "help" && rest[0] !== undefined) return await command([rest[0], "--help"], around);
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.out(overview(verbs));
    return exitCodes.yes;
  }
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined) throw await noSuchVerb(name);
  const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (own.includes("--help") || own.includes("-h")) {
    terminal.out(verbHelp(verb));
    return exitCodes.yes;
  }
  const args = parseVerbArguments(verb, rest);
  if (verb.raw === true || !process.stderr.isTTY) return await verb.run(args, around, rest);
  const waiting = patient(terminal, `portvakt ${name}`);
  try {
    return await verb.run(args, { ...around, terminal: waiting.terminal }, rest);
  } finally {
    waiting.over();
  }
}

async function noSuchVerb(name: string): Promise<CommandError> {
  const { nearMiss } = await import("@portvakt/policy");
  const meant = nearMiss(
    name,
    verbs.map((verb) => verb.name),
  );
  const sentence = `there is no verb "${name}"`;
  return usageError(meant === undefined ? sentence : `${sentence}; did you mean ${meant}?`);
}

/** Whoever reads our output may go before its end, as `head` does. An answer that gets lost otherwise is no answer. */
function noticeLostOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      process.once("exit", () => (process.exitCode = exitCodes.trouble));
      const reason = systemReason(error) ?? error.message;
      if (stream === process.stdout)
        process.stderr.write(`portvakt: the answer could not be written: ${reason}\n`);
    });
}

async function main(): Promise<void> {
  noticeLostOutput();
  const paint = createPaint({ isTerminal: process.stderr.isTTY, noColor: process.env["NO_COLOR"] });
  const around: Surroundings = {
    env: process.env,
    folder: process.cwd(),
    input: () => process.stdin,
    now: () => Date.now() / 1000,
    terminal: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      paint,
    },
  };
  try {
    const code = await command(process.argv.slice(2), around);
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    const known = error instanceof CommandError ? error : unforeseen(error);
    tell(known, around.terminal);
    process.exitCode = known.exitCode;
  }
}

/** What nobody thought of: of the system's errors the file, of all others the stack is what helps to mend it. */
function unforeseen(error: unknown): CommandError {
  const reason = systemReason(error);
  if (reason !== undefined && error instanceof Error && "path" in error)
    return new CommandError(`${relative(process.cwd(), String(error.path))}: ${reason}`, { cause: error });
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandError(`this should not have happened: ${stack}`, { cause: error });
}

await main();

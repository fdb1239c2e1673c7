/**
 * Owns: the command `portvakt`: its verbs, their help and exit codes, the development platform and the tour.
 * Does not own: what the servers do; a server verb hands over to the server's own settings and start.
 * Request path: bin/portvakt.js -> main.ts -> verbs.ts -> one verb: dev/ and tour/; access/ (can, plan, graph); token/ (token,
 * inspect) and explain/; apply/ (apply, keys); doctor/; init/; completion/; serve.ts (the servers). They read manifests through
 * manifests/, a platform that runs through running/, TokenX's registry through tokenx/.
 * Spec: exit codes 0 yes, 1 no, 2 usage, 3 trouble; an error is one sentence and `hint:` lines.
 */
import { CommandError, exitCodes, usageError, type ExitCode } from "./failure.ts";
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
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.out(overview(verbs));
    return exitCodes.yes;
  }
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined) throw usageError(`there is no verb "${name}"`);
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

async function main(): Promise<void> {
  // whoever reads our output may go before its end, as `head` does
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
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

/** What nobody thought of: the stack is what helps to mend it. */
function unforeseen(error: unknown): CommandError {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandError(`this should not have happened: ${stack}`, { cause: error });
}

await main();

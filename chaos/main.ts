/**
 * Owns: the scenarios in which something breaks while clients go on asking, and what must hold then.
 * Does not own: how things are broken and watched (rig/).
 * Request path: main -> one server's scenarios -> rig -> table and one line of JSON; exit 1 when something was lost or wrong.
 * Spec: the paragraphs "Failure" of the login proxy, the token API and TokenX.
 */
import { chaosLogin } from "./login.ts";
import { CannotRun, jsonLine, printed, runAll } from "./rig/index.ts";
import type { Scenario } from "./rig/index.ts";
import { chaosTokens } from "./tokens.ts";
import { chaosTokenx } from "./tokenx.ts";

interface Chaos {
  readonly title: string;
  readonly scenarios: (pace: number) => readonly Scenario[];
}

const all: Readonly<Record<string, Chaos>> = {
  login: {
    title: "Login proxy: replicas on one Redis, a provider and an application",
    scenarios: chaosLogin,
  },
  tokens: { title: "Token API beside one application", scenarios: chaosTokens },
  tokenx: { title: "TokenX: replicas on one PostgreSQL", scenarios: chaosTokenx },
};

/** How long, in seconds, what is broken stays broken. */
const pace = 4;

const name = process.argv[2] ?? "";
const words = process.argv.slice(3);
const chaos = Object.hasOwn(all, name) ? all[name] : undefined;
if (chaos === undefined) {
  process.stderr.write(`usage: npm run chaos ${Object.keys(all).join("|")} [word of a scenario]\n`);
  process.exitCode = 2;
} else {
  const chosen = chaos
    .scenarios(pace)
    .filter((one) => words.length === 0 || words.some((word) => one.name.includes(word)));
  try {
    const outcomes = await runAll(chosen, (line) => void process.stderr.write(`${line}\n`));
    process.stdout.write(`${chaos.title}\n\n${printed(outcomes)}\n\n${jsonLine("chaos", name, outcomes)}\n`);
    process.exitCode = outcomes.length > 0 && outcomes.every(({ ok }) => ok) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`chaos ${name}: ${error.message}\n`);
    process.exitCode = 3;
  }
}

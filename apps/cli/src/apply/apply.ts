import { resolve } from "node:path";
import { fetchMetadata } from "@portvakt/oauth";
import { ways, type Application, type Changes } from "@portvakt/policy";
import { changesAt } from "../access/plan.ts";
import { planWords } from "../access/plan-words.ts";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration } from "../manifests/declared.ts";
import { landscapeAt } from "../tokenx/known.ts";
import { registrarFor } from "../tokenx/open.ts";
import type { KnownClient, Registrar } from "../tokenx/registrar.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";
import { formats, tokenxCredentials, writeCredentials, type Format } from "./credentials.ts";
import { keepSecondsOf } from "./durations.ts";
import { openKeyStore, publicKeys, renewed } from "./key-store.ts";

/** What takes longer than this says how far it is. */
const quietSeconds = 1;

/** What applying did, as `--json` says it. */
interface Applied {
  readonly application: string;
  /** The file with its credentials. */
  readonly file: string;
  /** Key ids at TokenX, the current one first. */
  readonly keys: readonly string[];
}

/** `portvakt apply`: registers the applications with TokenX, and writes their credentials. */
export async function runApply(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const declared = await declaration("apply", args, around);
  const registrar = await registrarFor({
    verb: "apply",
    url: undefined,
    writes: true,
    running: declared.running,
    args,
    around,
  });
  const known = await registrar.list();
  const changes = changesAt(landscapeAt(known, registrar.issuer), declared, around.now());
  const asJson = flag(args, "json");
  const { terminal } = around;
  if (!asJson) terminal.err(planWords(changes, terminal));
  refuseLoss(changes, args);
  const wanted = [...declared.applications.values()].filter(ways.citizen.uses);
  const applied = await applyAll({ wanted, registrar, known, args, around, rotate: false });
  if (asJson) terminal.out(`${JSON.stringify({ changes, applied })}\n`);
  else terminal.out(appliedWords(applied, registrar));
  return exitCodes.yes;
}

/** Access that somebody has is not taken away without being asked for. */
function refuseLoss({ access }: Changes, args: Arguments): void {
  const lost = access.filter(({ change }) => change === "lost");
  const [first] = lost;
  if (first === undefined || flag(args, "yes")) return;
  const others = lost.length > 1 ? `, and ${lost.length - 1} more calls end` : "";
  throw new CommandError(
    `nothing was applied: ${first.actor} would lose access to ${first.target}${others}`,
    {
      hints: ["apply with --yes when that is meant"],
      exitCode: exitCodes.no,
    },
  );
}

interface ApplyOptions {
  readonly wanted: readonly Application[];
  readonly registrar: Registrar;
  /** What TokenX knows today. */
  readonly known: readonly KnownClient[];
  readonly args: Arguments;
  readonly around: Surroundings;
  /** Every application gets a new key. */
  readonly rotate: boolean;
}

/** Registers every application, then writes its credentials: nobody holds a key that TokenX does not know. */
export async function applyAll({
  wanted,
  registrar,
  known,
  args,
  around,
  rotate,
}: ApplyOptions): Promise<readonly Applied[]> {
  const format = formatNamed(text(args, "format") ?? "env");
  const folder = resolve(around.folder, text(args, "output") ?? ".portvakt/credentials");
  const store = openKeyStore(resolve(around.folder, text(args, "keys") ?? ".portvakt/client-keys"));
  const keepSeconds = keepSecondsOf(args);
  const { issuer } = registrar;
  const server = await fetchMetadata({
    url: `${issuer}/.well-known/oauth-authorization-server`,
    expectIssuer: issuer,
  });
  const applied: Applied[] = [];
  const began = around.now();
  for (const application of wanted) {
    if (around.now() - began > quietSeconds) {
      around.terminal.err(`registering ${application.id}, ${applied.length + 1} of ${wanted.length}\n`);
    }
    const { id } = application;
    const ring = await renewed(await store.read(id), { now: around.now(), rotate, keepSeconds });
    const [current] = ring;
    if (current === undefined) continue;
    await store.write(id, ring);
    // which sign-ins are the application's own is for others to say; what was said stays
    const subjectClients = known.find((client) => client.id === id)?.subjectClients;
    await registrar.register({
      application,
      keys: publicKeys(ring),
      ...(subjectClients && { subjectClients }),
    });
    const credentials = tokenxCredentials(application, current.jwk, server);
    const file = await writeCredentials(folder, format, application, credentials);
    applied.push({ application: id, file, keys: ring.flatMap(({ jwk }) => jwk.kid ?? []) });
  }
  return applied;
}

function formatNamed(name: string): Format {
  const format = Object.entries(formats).find(([known]) => known === name)?.[1];
  if (format === undefined)
    throw usageError(`--format wants one of ${Object.keys(formats).join(", ")}, not ${name}`, "apply");
  return format;
}

/** What was done, a line for each application. */
export function appliedWords(applied: readonly Applied[], { issuer }: Registrar): string {
  if (applied.length === 0)
    return "No application here uses TokenX (spec.tokenx.enabled): nothing to register.\n";
  const width = Math.max(...applied.map(({ application }) => application.length)) + 2;
  const lines = applied.map(({ application, file, keys }) => {
    const old = keys.length > 1 ? `  ${keys.length - 1} old key${keys.length > 2 ? "s" : ""} kept` : "";
    return `${application.padEnd(width)}${file}${old}`;
  });
  return `${[...lines, "", `${applied.length} registered with TokenX at ${issuer}. The files hold private keys.`].join("\n")}\n`;
}

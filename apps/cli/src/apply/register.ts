import { fetchMetadata, Fault, type ServerMetadata } from "@portvakt/oauth";
import type { Application } from "@portvakt/policy";
import { CommandError, exitCodes, systemReason } from "../failure.ts";
import type { KnownClient, Registrar } from "../tokenx/registrar.ts";
import type { Surroundings } from "../verb.ts";
import { tokenxCredentials, writeCredentials } from "./credentials.ts";
import { publicKeys, renewed } from "./key-store.ts";
import type { ApplySettings } from "./settings.ts";

/** What takes longer than this says how far it is. */
const quietSeconds = 1;

/** What was done for one application, as `--json` says it. */
export interface Applied {
  readonly application: string;
  /** The file with its credentials. */
  readonly file: string;
  /** Key ids at TokenX, the current one first. */
  readonly keys: readonly string[];
}

/** What was done, and what ended it before everything was. */
export interface Outcome {
  readonly applied: readonly Applied[];
  /** Who is registered no longer. */
  readonly removed?: readonly string[];
  readonly failure?: CommandError | undefined;
}

export interface RegisterOptions {
  readonly wanted: readonly Application[];
  /** Who is to be registered no longer. */
  readonly unwanted?: readonly string[];
  readonly registrar: Registrar;
  /** What TokenX knows today. */
  readonly known: readonly KnownClient[];
  readonly settings: ApplySettings;
  readonly around: Surroundings;
  /** Every application gets a new key. */
  readonly rotate: boolean;
}

/**
 * Registers every application, then writes its credentials: nobody holds a key that TokenX does not know. Then takes out those
 * that are unwanted. Ends at the first that fails; doing it again goes on from there, as what is done comes out the same.
 */
export async function registerAll(options: RegisterOptions): Promise<Outcome> {
  const { wanted, unwanted = [], registrar, around } = options;
  const refusal = options.settings.replaceKeys ? undefined : await foreignKeys(options);
  if (refusal !== undefined) return { applied: [], failure: refusal };
  const server = await metadataOf(registrar);
  const applied: Applied[] = [];
  const began = around.now();
  for (const application of wanted) {
    if (around.now() - began > quietSeconds) {
      around.terminal.err(`registering ${application.id}, ${applied.length + 1} of ${wanted.length}\n`);
    }
    try {
      applied.push(await registerOne(application, server, options));
    } catch (error) {
      return { applied, failure: brokenOff(error, application, applied, wanted) };
    }
  }
  const removed: string[] = [];
  for (const id of unwanted) {
    try {
      await registrar.remove(id);
      removed.push(id);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const { message, hints } = error;
      return {
        applied,
        removed,
        failure: new CommandError(`${id} is still registered: ${message}`, { hints, cause: error }),
      };
    }
  }
  return { applied, removed };
}

/** Registering replaces the keys that TokenX has. Those that are not kept here are somebody's who would be shut out. */
async function foreignKeys({ wanted, known, settings }: RegisterOptions): Promise<CommandError | undefined> {
  const { store } = settings;
  const shutOut: string[] = [];
  for (const { id } of wanted) {
    const there = known.find((client) => client.id === id)?.keyIds ?? [];
    const here = new Set((await store.read(id)).map(({ jwk }) => jwk.kid));
    if (there.some((kid) => !here.has(kid))) shutOut.push(id);
  }
  if (shutOut.length === 0) return undefined;
  return new CommandError(
    `nothing was applied: TokenX has keys of ${listed(shutOut)} that are not in ${store.folder}`,
    {
      hints: [
        "name the folder that they are kept in with --keys, or bring them here",
        "--replace-keys puts new ones in their place: whoever signs with the old ones is refused from then on",
      ],
      exitCode: exitCodes.no,
    },
  );
}

async function registerOne(
  application: Application,
  server: ServerMetadata,
  { registrar, known, settings, around, rotate }: RegisterOptions,
): Promise<Applied> {
  const { store, keepSeconds, output, format } = settings;
  const { id } = application;
  const before = await store.read(id);
  const ring = await renewed(before, { now: around.now(), rotate, keepSeconds });
  const [current] = ring;
  if (current === undefined) throw new Error(`${id} was given no key`);
  const ids = new Set(ring.map(({ jwk }) => jwk.kid));
  const dropped = before.filter(({ jwk }) => !ids.has(jwk.kid));
  // what TokenX still has stays here until TokenX has taken the new ones: else nobody would know it as ours
  await store.write(id, [...ring, ...dropped]);
  // which sign-ins are the application's own is for others to say; what was said stays
  const subjectClients = known.find((client) => client.id === id)?.subjectClients;
  await registrar.register({
    application,
    keys: publicKeys(ring),
    ...(subjectClients && { subjectClients }),
  });
  if (dropped.length > 0) await store.write(id, ring);
  const credentials = tokenxCredentials(application, current.jwk, server);
  const file = await writeCredentials(output, format, application, credentials);
  return { application: id, file, keys: ring.flatMap(({ jwk }) => jwk.kid ?? []) };
}

async function metadataOf({ issuer }: Registrar): Promise<ServerMetadata> {
  const url = `${issuer}/.well-known/oauth-authorization-server`;
  try {
    return await fetchMetadata({ url, expectIssuer: issuer });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new CommandError(`TokenX at ${issuer} does not say what it is: ${error.message}`, { cause: error });
  }
}

function brokenOff(
  error: unknown,
  { id }: Application,
  applied: readonly Applied[],
  wanted: readonly Application[],
): CommandError {
  const reason = error instanceof CommandError ? error.message : systemReason(error);
  if (reason === undefined) throw error;
  const done = applied.map(({ application }) => application);
  const before = done.length === 0 ? "none was applied before it" : `applied before it: ${listed(done)}`;
  return new CommandError(`${id} was not applied, number ${done.length + 1} of ${wanted.length}: ${reason}`, {
    hints: [
      ...(error instanceof CommandError ? error.hints : []),
      before,
      "do the same again once that is mended: what is done already stays as it is",
    ],
    cause: error,
  });
}

const mostListed = 8;

function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, mostListed).join(", ");
  return ids.length > mostListed ? `${shown} and ${ids.length - mostListed} more` : shown;
}

/** What was done, a line for each application. */
export function appliedWords({ applied, removed = [] }: Outcome, { issuer }: Registrar): string {
  const gone = removed.map((id) => `${id} is registered no longer.\n`).join("");
  if (applied.length === 0)
    return `${gone}No application here uses TokenX (spec.tokenx.enabled): nothing to register.\n`;
  const width = Math.max(...applied.map(({ application }) => application.length)) + 2;
  const lines = applied.map(({ application, file, keys }) => {
    const old = keys.length > 1 ? `  ${keys.length - 1} old key${keys.length > 2 ? "s" : ""} kept` : "";
    return `${application.padEnd(width)}${file}${old}`;
  });
  return `${gone}${[...lines, "", `${applied.length} registered with TokenX at ${issuer}. The files hold private keys.`].join("\n")}\n`;
}

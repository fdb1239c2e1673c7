import { randomBytes } from "node:crypto";
import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { generatePrivateJwk, publicJwkOf, type JWK } from "@portvakt/oauth";
import { CommandError, systemReason } from "../failure.ts";
import { makePrivateFolder } from "../running/folder.ts";
import type { Clients, Plan, PlannedApplication } from "./plan.ts";

/** The keys of a platform on this machine. They stay in one file that only its owner can read. */
export interface Keys {
  readonly private: (name: string) => JWK;
  readonly public: (name: string) => JWK;
  /** 32 random bytes, base64. */
  readonly secret: (name: string) => string;
  /** Were they made just now, because there were none? */
  readonly isNew: boolean;
}

/** The key that the platform registers TokenX's clients with. */
export const registrarKey = "registrar";

/** The key that the console reads from TokenX with. */
export const consoleKey = "console";

/** The name of an application's key at a provider. */
export function keyName(planned: PlannedApplication, provider: keyof Clients): string {
  return `${planned.application.id} ${provider}`;
}

/** The name of the key that seals a login proxy's cookies and sessions. */
export function sealName(planned: PlannedApplication): string {
  return `${planned.application.id} login`;
}

/** The names of everything that a plan needs: signing keys and secrets. */
export function wantedKeys(plan: Plan): { signing: string[]; secrets: string[] } {
  const providers = (clients: Clients): (keyof Clients)[] =>
    (["idporten", "entra", "maskinporten", "tokenx"] as const).filter((name) => clients[name] !== undefined);
  return {
    signing: [
      registrarKey,
      consoleKey,
      ...plan.applications.flatMap((planned) =>
        providers(planned.clients).map((name) => keyName(planned, name)),
      ),
    ],
    secrets: ["tokenx", ...plan.applications.filter((planned) => planned.login).map(sealName)],
  };
}

interface KeyFile {
  readonly signing: Record<string, JWK>;
  readonly secrets: Record<string, string>;
}

/**
 * Reads the keys from a file (mode 0600) and makes those that are missing, RS256 with 2048 bits: what every provider
 * takes; the console's, which only TokenX sees, is ES256, made in no time. A key stays the same from start to start, so that a restarted platform is still the one that people signed in to.
 */
export async function keepKeys(
  file: string,
  wanted: { signing: string[]; secrets: string[] },
): Promise<Keys> {
  const kept = await readKeyFile(file);
  const newNames = wanted.signing.filter((name) => kept.signing[name] === undefined);
  const made = await Promise.all(
    newNames.map(
      async (name) => [name, await generatePrivateJwk(name === consoleKey ? "ES256" : "RS256")] as const,
    ),
  );
  const newSecrets = wanted.secrets.filter((name) => kept.secrets[name] === undefined);
  const all: KeyFile = {
    signing: { ...kept.signing, ...Object.fromEntries(made) },
    secrets: {
      ...kept.secrets,
      ...Object.fromEntries(newSecrets.map((name) => [name, randomBytes(32).toString("base64")])),
    },
  };
  if (made.length + newSecrets.length > 0) await writePrivate(file, `${JSON.stringify(all, null, 2)}\n`);
  const signing = (name: string): JWK => found(all.signing[name], name);
  return {
    private: signing,
    public: (name) => publicJwkOf(signing(name)),
    secret: (name) => found(all.secrets[name], name),
    isNew: Object.keys(kept.secrets).length === 0,
  };
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`no key named ${name} was asked for`);
  return value;
}

/** The key file, or an empty one where none is. *Throws*: CommandError. */
export async function readKeyFile(file: string): Promise<KeyFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { signing: {}, secrets: {} };
    throw new CommandError(`the keys in ${file} cannot be read`, { cause: error });
  }
  try {
    const { signing, secrets }: Partial<KeyFile> = JSON.parse(text);
    return { signing: signing ?? {}, secrets: secrets ?? {} };
  } catch (error) {
    throw new CommandError(`${file} is not the key file that portvakt wrote`, {
      hints: [`remove it, and new keys are made`],
      cause: error,
    });
  }
}

/** Writes a file that only its owner reads, whole or not at all. *Throws*: CommandError where the system would not. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const half = `${file}.${process.pid}.new`;
  try {
    await makePrivateFolder(dirname(file));
    await writeFile(half, text, { mode: 0o600 });
    await chmod(half, 0o600);
    await rename(half, file);
  } catch (cause) {
    const reason = systemReason(cause);
    await rm(half, { force: true }).catch(() => {});
    if (reason === undefined) throw cause;
    throw new CommandError(`${file} cannot be written: ${reason}`, { cause });
  }
}

import { access, constants } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { setting, SettingProblem } from "@portvakt/runtime/config";
import { CommandError, exitCodes, systemReason, usageError } from "../failure.ts";
import { makePrivateFolder } from "../running/folder.ts";
import { flag, text, type Arguments, type Surroundings } from "../verb.ts";
import { formats, type Format } from "./credentials.ts";
import { openKeyStore, type KeyStore } from "./key-store.ts";

/** What the verbs that register clients were asked for. */
export interface ApplySettings {
  readonly format: Format;
  /** The folder of credentials. */
  readonly output: string;
  readonly store: KeyStore;
  /** How long a replaced key stays registered. */
  readonly keepSeconds: number;
  /** May keys that are not in the store lose their place at TokenX? */
  readonly replaceKeys: boolean;
}

const defaultKeep = "7d";
const keep = setting.seconds({ env: "--keep", min: 0, doc: "how long an old key is kept" });

/** Reads the options. *Throws*: CommandError with exit code 2. */
export function applySettings(
  verb: string,
  args: Arguments,
  { folder }: Pick<Surroundings, "folder">,
): ApplySettings {
  return {
    format: formatNamed(text(args, "format") ?? "env", verb),
    output: resolve(folder, text(args, "output") ?? ".portvakt/credentials"),
    store: keyStoreOf(args, folder),
    keepSeconds: keepSecondsOf(text(args, "keep") ?? defaultKeep, verb),
    replaceKeys: flag(args, "replace-keys"),
  };
}

/** The store of keys that was named, or the usual one. */
export function keyStoreOf(args: Arguments, folder: string): KeyStore {
  return openKeyStore(resolve(folder, text(args, "keys") ?? ".portvakt/client-keys"));
}

function formatNamed(name: string, verb: string): Format {
  const format = Object.entries(formats).find(([known]) => known === name)?.[1];
  if (format === undefined)
    throw usageError(`--format wants one of ${Object.keys(formats).join(", ")}, not ${name}`, verb);
  return format;
}

function keepSecondsOf(given: string, verb: string): number {
  try {
    return keep.parse(given);
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error;
    throw usageError(`--keep wants a duration such as 7d or 12h, not ${given}`, verb);
  }
}

/** Makes the folders that are written to; what is registered and cannot be written would be lost. *Throws*: CommandError. */
export async function prepareFolders({ output, store }: ApplySettings): Promise<void> {
  for (const [option, folder] of [
    ["--output", output],
    ["--keys", store.folder],
  ] as const) {
    try {
      // the folder itself may be there since before such folders were kept out of git
      if (basename(dirname(folder)) === ".portvakt") await makePrivateFolder(dirname(folder));
      await makePrivateFolder(folder);
      await access(folder, constants.W_OK);
    } catch (error) {
      const reason = systemReason(error) ?? "something else has that name";
      throw new CommandError(`${option} wants a folder to write to, which ${folder} is not: ${reason}`, {
        exitCode: exitCodes.usage,
        cause: error,
      });
    }
  }
}

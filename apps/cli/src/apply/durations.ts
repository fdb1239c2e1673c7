import { setting, SettingProblem } from "@portvakt/runtime/config";
import { usageError } from "../failure.ts";
import { text, type Arguments } from "../verb.ts";

const defaultKeep = "7d";
const keep = setting.seconds({ env: "--keep", min: 0, doc: "how long an old key is kept" });

/** `--keep` in seconds: how long a replaced key stays registered. *Throws*: CommandError. */
export function keepSecondsOf(args: Arguments): number {
  const given = text(args, "keep") ?? defaultKeep;
  try {
    return keep.parse(given);
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error;
    throw usageError(`--keep wants a duration such as 7d or 12h, not ${given}`, "apply");
  }
}

import type { Clock } from "@portvakt/oauth";
import { createSdk } from "./sdk.ts";
import type { Sdk } from "./sdk.ts";
import { settingNames } from "./settings.ts";
import type { Environment } from "./settings.ts";

/**
 * The edge: the one file of the SDK that looks at its process's environment and clock. The SDK is imported by applications, so there
 * is no main.ts that could hand these in. Where there is no `process` (edge runtimes, browsers), nothing is set up.
 */
const clock: Clock = () => Date.now() / 1000;

interface Host {
  readonly process?: { readonly env?: Environment };
}

let made: Sdk | undefined;

/**
 * The SDK over the process's own environment, made at its first use. It is kept once the platform's variables are there;
 * until then each use looks again, because some applications load them late.
 */
export function processSdk(): Sdk {
  if (made !== undefined) return made;
  const relevant = variables();
  const sdk = createSdk({ env: relevant, now: clock });
  if (Object.keys(relevant).length > 0) made = sdk;
  return sdk;
}

/** The platform's variables. A runtime that may not read them (Deno without `--allow-env`) has none: results say so. */
function variables(): Environment {
  try {
    const env = (globalThis as Host).process?.env ?? {};
    return Object.fromEntries(Object.entries(env).filter(([name]) => settingNames.has(name)));
  } catch {
    return {};
  }
}

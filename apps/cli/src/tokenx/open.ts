import { resolve } from "node:path";
import type { JWK } from "@portvakt/oauth";
import { readKeyFile, registrarKey } from "../dev/keys.ts";
import { CommandError, exitCodes, usageError } from "../failure.ts";
import type { DevState } from "../running/state.ts";
import { text, type Arguments, type Surroundings } from "../verb.ts";
import { registrarHint } from "./options.ts";
import { openRegistrar, type Registrar } from "./registrar.ts";

/**
 * The registrar at the TokenX that was named, else at that of the platform that runs here.
 * *Throws*: CommandError when there is none, or nobody to register as.
 */
export async function registrarFor(options: {
  verb: string;
  url: string | undefined;
  running: DevState | undefined;
  /** It is going to change something there. */
  writes?: boolean;
  args: Arguments;
  around: Surroundings;
}): Promise<Registrar> {
  const { verb, running, args, around } = options;
  const { env, now, folder } = around;
  const url = options.url ?? text(args, "tokenx") ?? env["PORTVAKT_TOKENX_URL"];
  const id = env["PORTVAKT_REGISTRAR_ID"];
  const key = env["PORTVAKT_REGISTRAR_JWK"];
  const own = running?.providers.tokenx.issuer;
  if (options.writes === true && url === undefined && own !== undefined) {
    throw new CommandError("the platform that runs here registers its applications by itself", {
      hints: ["edit a manifest, and it does so at once; name another TokenX with --tokenx"],
      exitCode: exitCodes.usage,
    });
  }
  if (url !== undefined && url !== own) {
    if (id === undefined || key === undefined) {
      throw new CommandError("nobody is set to register as", { hints: [registrarHint] });
    }
    return await openRegistrar({ issuer: url.replace(/\/$/, ""), id, key: parseKey(key), now });
  }
  if (own === undefined)
    throw usageError(`${verb} needs a TokenX: name one with --tokenx, or start \`portvakt dev\``, verb);
  const kept = await readKeyFile(resolve(folder, text(args, "state") ?? ".portvakt", "keys.json"));
  const signing = kept.signing[registrarKey];
  if (signing === undefined) throw new CommandError("the platform that runs here has no registrar's key");
  return await openRegistrar({ issuer: own, id: registrarKey, key: signing, now });
}

function parseKey(text: string): JWK {
  try {
    const key: JWK = JSON.parse(text);
    return key;
  } catch (error) {
    throw new CommandError("PORTVAKT_REGISTRAR_JWK is no JSON", { cause: error });
  }
}

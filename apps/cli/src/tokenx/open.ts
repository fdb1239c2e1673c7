import { resolve } from "node:path";
import type { JWK } from "@portvakt/oauth";
import { readKeyFile, registrarKey } from "../dev/keys.ts";
import { CommandError, usageError } from "../failure.ts";
import type { DevState } from "../dev/state.ts";
import { text, type Arguments, type Option, type Surroundings } from "../verb.ts";
import { openRegistrar, type Registrar } from "./registrar.ts";

/** The options of verbs that talk to a TokenX as the platform's registrar. */
export const tokenxOptions = {
  tokenx: {
    type: "string",
    value: "<url>",
    summary: "the TokenX to talk to; PORTVAKT_TOKENX_URL, or that of the platform here, if not given",
  },
} as const satisfies Record<string, Option>;

/** What the help says of the registrar's credentials. */
export const registrarNotes = [
  "At a TokenX that is not of `portvakt dev`, PORTVAKT_REGISTRAR_ID and PORTVAKT_REGISTRAR_JWK (a private JWK) say who",
  "registers; TokenX knows them as AUTH_CLIENT_ID and AUTH_CLIENT_JWKS.",
] as const;

/**
 * The registrar at the TokenX that was named, else at that of the platform that runs here.
 * *Throws*: CommandError when there is none, or nobody to register as.
 */
export async function registrarFor(options: {
  verb: string;
  url: string | undefined;
  running: DevState | undefined;
  args: Arguments;
  around: Surroundings;
}): Promise<Registrar> {
  const { verb, running, args, around } = options;
  const { env, now, folder } = around;
  const url = options.url ?? text(args, "tokenx") ?? env["PORTVAKT_TOKENX_URL"];
  const id = env["PORTVAKT_REGISTRAR_ID"];
  const key = env["PORTVAKT_REGISTRAR_JWK"];
  const own = running?.providers.tokenx.issuer;
  if (url !== undefined && url !== own) {
    if (id === undefined || key === undefined) {
      throw new CommandError("nobody is set to register as", { hints: [...registrarNotes] });
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

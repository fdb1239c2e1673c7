import { ways } from "@portvakt/policy";
import { exitCodes, usageError, CommandError, type ExitCode } from "../failure.ts";
import { declaration } from "../manifests/declared.ts";
import { applicationNamed } from "../manifests/names.ts";
import { span } from "@portvakt/explain";
import { registrarFor } from "../tokenx/open.ts";
import { flag, type Arguments, type Surroundings } from "../verb.ts";
import { lockFolder } from "./lock.ts";
import { appliedWords, registerAll } from "./register.ts";
import { applySettings, keyStoreOf, prepareFolders } from "./settings.ts";

/** `portvakt keys`: what keys there are, and new ones in their place. */
export async function runKeys(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const [what, ...names] = args.words;
  if (what === "list" && names.length === 0) return await listKeys(args, around);
  if (what === "rotate") return await rotateKeys(names, args, around);
  throw usageError("keys wants list, or rotate and the applications to rotate", "keys");
}

async function listKeys(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const store = keyStoreOf(args, around.folder);
  const now = around.now();
  const rings = await Promise.all(
    (await store.ids()).map(async (id) => ({ id, ring: await store.read(id) })),
  );
  if (flag(args, "json")) {
    const shown = rings.map(({ id, ring }) => ({
      application: id,
      keys: ring.map(({ jwk, madeAt, replacedAt }) => ({ kid: jwk.kid, madeAt, replacedAt })),
    }));
    around.terminal.out(`${JSON.stringify(shown)}\n`);
    return exitCodes.yes;
  }
  const lines = rings.flatMap(({ id, ring }) => [
    id,
    ...ring.map(({ jwk, madeAt, replacedAt }) => {
      const state =
        replacedAt === undefined ? "in use" : `replaced ${span(Math.round(now - replacedAt))} ago`;
      return `  ${jwk.kid}  made ${span(Math.round(now - madeAt))} ago, ${state}`;
    }),
  ]);
  around.terminal.out(
    lines.length === 0 ? `There are no keys in ${store.folder}.\n` : `${lines.join("\n")}\n`,
  );
  return exitCodes.yes;
}

/** A new key for each application, or for those that were named; the old ones stay registered for a while. */
async function rotateKeys(
  names: readonly string[],
  args: Arguments,
  around: Surroundings,
): Promise<ExitCode> {
  const settings = applySettings("keys", args, around);
  const declared = await declaration("keys", args, around);
  const ids = new Set(names.map((name) => applicationNamed(name, declared)));
  const users = [...declared.applications.values()].filter(ways.citizen.uses);
  const wanted = ids.size === 0 ? users : users.filter(({ id }) => ids.has(id));
  const stranger = [...ids].find((id) => !users.some((user) => user.id === id));
  if (stranger !== undefined) {
    throw new CommandError(
      `${stranger} has no key at TokenX: its manifest does not set spec.tokenx.enabled`,
      {
        exitCode: exitCodes.usage,
      },
    );
  }
  const registrar = await registrarFor({
    verb: "keys",
    url: undefined,
    writes: true,
    running: declared.running,
    args,
    around,
  });
  await prepareFolders(settings);
  using _lock = lockFolder(settings.store.folder);
  const known = await registrar.list();
  const { applied, failure } = await registerAll({
    ...{ wanted, registrar, known, settings, around },
    rotate: true,
  });
  if (flag(args, "json")) around.terminal.out(`${JSON.stringify({ applied })}\n`);
  if (failure !== undefined) throw failure;
  if (!flag(args, "json")) around.terminal.out(appliedWords({ applied }, registrar));
  return exitCodes.yes;
}

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { generatePrivateJwk, publicJwkOf, type JWK } from "@portvakt/oauth";
import { formatApplicationId, parseApplicationId } from "@portvakt/policy";
import { writePrivate } from "../dev/keys.ts";
import { CommandError } from "../failure.ts";

/** A client's key, and when another took its place. Times are seconds since the epoch. */
export interface KeptKey {
  readonly jwk: JWK;
  readonly madeAt: number;
  readonly replacedAt?: number;
}

/** The keys of one application, the current one first. */
export type KeyRing = readonly KeptKey[];

/** The keys of applications in a folder: one file each, which only its owner reads. */
export interface KeyStore {
  readonly folder: string;
  /** Every application that has keys here. */
  ids(): Promise<readonly string[]>;
  read(id: string): Promise<KeyRing>;
  write(id: string, ring: KeyRing): Promise<void>;
}

/** Opens a folder of keys; it is made when the first key is. */
export function openKeyStore(folder: string): KeyStore {
  const fileOf = (id: string): string => join(folder, `${id.replaceAll(":", ".")}.json`);
  return {
    folder,
    ids: async () => {
      const names = await readdir(folder).catch(() => []);
      return names.flatMap((name) => {
        const parts = /^([^.]+)\.([^.]+)\.([^.]+)\.json$/.exec(name)?.slice(1, 4);
        const id = parseApplicationId(parts?.join(":") ?? "");
        return id === undefined ? [] : [formatApplicationId(id)];
      });
    },
    read: async (id) => await readRing(fileOf(id)),
    write: async (id, ring) => await writePrivate(fileOf(id), `${JSON.stringify({ keys: ring }, null, 2)}\n`),
  };
}

async function readRing(file: string): Promise<KeyRing> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new CommandError(`the keys in ${file} cannot be read`, { cause: error });
  }
  try {
    const { keys }: { keys: KeyRing } = JSON.parse(text);
    return keys.filter(({ jwk, madeAt }) => typeof jwk.kid === "string" && typeof madeAt === "number");
  } catch (error) {
    throw new CommandError(`${file} is not a file of keys that portvakt wrote`, {
      hints: ["move it away; a new key is made then"],
      cause: error,
    });
  }
}

/**
 * The ring as it should be from `now` on: with a key, with a new one in front where `rotate` asks for that, and without those
 * that were replaced longer than `keepSeconds` ago. An old key stays until then, because whoever has not restarted yet signs
 * with it.
 */
export async function renewed(
  ring: KeyRing,
  { now, rotate, keepSeconds }: { now: number; rotate: boolean; keepSeconds: number },
): Promise<KeyRing> {
  const kept = ring.filter(({ replacedAt }) => replacedAt === undefined || replacedAt + keepSeconds > now);
  if (kept.length > 0 && !rotate) return kept;
  const fresh: KeptKey = { jwk: await generatePrivateJwk("RS256"), madeAt: Math.floor(now) };
  return [fresh, ...kept.map((key) => ({ ...key, replacedAt: key.replacedAt ?? Math.floor(now) }))];
}

/** What a provider may see of a ring. */
export function publicKeys(ring: KeyRing): JWK[] {
  return ring.map(({ jwk }) => publicJwkOf(jwk));
}

import type { SigningKeyStore, StoredKey } from "@portvakt/issuer";
import { isSignatureAlgorithm } from "@portvakt/oauth";
import { open, seal } from "@portvakt/runtime/seal";
import type { KeyRing } from "@portvakt/runtime/seal";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import { lockIds } from "./schema.ts";
import type { TokenxTables } from "./schema.ts";

/** Says that there are other keys now. */
export const keysChannel = "tokenx_keys";
const purpose = "tokenx signing key";

/** Keeps signing keys in the database, sealed by a ring of keys that is not in it. */
export function signingKeyStore(db: SqlDatabase<TokenxTables>, ring: KeyRing): SigningKeyStore {
  return {
    read: () => readAll(db.query, ring),
    change: (change) =>
      db.query.transaction().execute(async (tx) => {
        await sql`select pg_advisory_xact_lock(${lockIds.signingKeys})`.execute(tx);
        const before = await readAll(tx, ring);
        const after = await change(before);
        const kept = after.map((key) => key.kid);
        const known = new Set(before.map((key) => key.kid));
        await tx
          .deleteFrom("signing_keys")
          .where("kid", "not in", kept.length > 0 ? kept : [""])
          .execute();
        const added = after.filter((key) => !known.has(key.kid)).map((key) => toRow(key, ring));
        if (added.length > 0) await tx.insertInto("signing_keys").values(added).execute();
        await db.notify(keysChannel, "changed", tx);
        return after;
      }),
  };
}

function toRow(key: StoredKey, ring: KeyRing): TokenxTables["signing_keys"] {
  const plain = new TextEncoder().encode(JSON.stringify(key.jwk));
  return {
    kid: key.kid,
    alg: key.alg,
    active_from: key.activeFrom,
    sealed: seal(ring, `${purpose} ${key.kid}`, plain),
  };
}

async function readAll(db: Kysely<TokenxTables>, ring: KeyRing): Promise<StoredKey[]> {
  const rows = await db.selectFrom("signing_keys").selectAll().execute();
  return rows.map((row) => {
    const plain = open(ring, `${purpose} ${row.kid}`, row.sealed);
    if (plain === undefined || !isSignatureAlgorithm(row.alg))
      throw new Error("a signing key cannot be opened: none of PORTVAKT_TOKENX_SEAL_KEYS sealed it");
    const jwk = JSON.parse(new TextDecoder().decode(plain)) as StoredKey["jwk"];
    return { kid: row.kid, alg: row.alg, jwk, activeFrom: row.active_from };
  });
}

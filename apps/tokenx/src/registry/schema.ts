import { sql } from "kysely";
import type { ColumnType, Generated, Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** The tables of TokenX. Times are seconds since the epoch. There is no row per issued token. */
export interface TokenxTables {
  clients: {
    client_id: string;
    /** Orders every change; taken under one lock, so that it also orders commits. */
    revision: ColumnType<string | number, number, number>;
    /** JSON of a Registration; null once deleted, so that other replicas learn of it. */
    registration: string | null;
    /** The `iat` of the software statement that wrote the row: the last writer wins by it. */
    stated_at: number;
    changed_at: number;
  };
  signing_keys: {
    kid: string;
    alg: string;
    active_from: number;
    /** The private JWK, sealed. */
    sealed: string;
  };
  used_once: {
    /** SHA-256 of what was used. */
    hash: string;
    expires_at: number;
  };
  revocations: {
    /** `jti:<id>` or `sid:<length of the issuer>:<issuer>:<id>` */
    what: string;
    expires_at: number;
    /** Orders every change; taken under one lock, so that it also orders commits. */
    revision: Generated<string | number>;
  };
  decisions: {
    id: string;
    at: number;
    /** JSON of an AuditRecord. */
    record: string;
  };
}

/** Each is taken in a transaction by whoever changes what it is named for, so that changes have one order. */
export const lockIds = { registry: 7_230_001, signingKeys: 7_230_002, revocations: 7_230_003 } as const;

/** The schema's history. A migration that was released is never changed. */
export const migrations: Record<string, Migration> = {
  "0001-registry": {
    async up(db: Kysely<unknown>) {
      await sql`create table clients (
        client_id text primary key check (length(client_id) <= 255),
        revision bigint not null unique,
        registration text,
        stated_at double precision not null,
        changed_at double precision not null
      )`.execute(db);
      await sql`create table signing_keys (
        kid text primary key,
        alg text not null,
        active_from double precision not null,
        sealed text not null
      )`.execute(db);
      await sql`create table used_once (
        hash text primary key,
        expires_at double precision not null
      )`.execute(db);
      await sql`create index used_once_expiry on used_once (expires_at)`.execute(db);
      await sql`create table revocations (
        what text primary key,
        expires_at double precision not null,
        revision bigserial not null unique
      )`.execute(db);
    },
  },
  "0002-decisions": {
    async up(db: Kysely<unknown>) {
      await sql`create table decisions (
        id text primary key,
        at double precision not null,
        record text not null
      )`.execute(db);
      await sql`create index decisions_at on decisions (at)`.execute(db);
    },
  },
};

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Secret } from "@portvakt/runtime/observe";
import { openSqlDatabase } from "@portvakt/runtime/store";
import { sql } from "kysely";

/** A database of one's own on the server that the tests were given. */
export async function freshDatabase(): Promise<string> {
  const given = process.env["PORTVAKT_TEST_POSTGRES_URL"];
  assert.ok(
    given,
    "PORTVAKT_TEST_POSTGRES_URL is not set: run `npm test`, or name a PostgreSQL server in it",
  );
  const name = `tokenx_${randomUUID().replaceAll("-", "")}`;
  const db = await openSqlDatabase<object>({ url: new Secret(given) });
  await sql`create database ${sql.raw(name)}`.execute(db.query);
  await db.close();
  return Object.assign(new URL(given), { pathname: `/${name}` }).href;
}

/** A way to the database that can be cut, and mended. */
export interface CuttableWay {
  readonly url: string;
  cut(): void;
  /** Keeps connections open, and lets nothing through. */
  hang(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function cuttableWay(databaseUrl: string): Promise<CuttableWay> {
  const to = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((socket) => {
    if (!open) {
      socket.destroy();
      return;
    }
    const onward = connect(Number(to.port), to.hostname);
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        sockets.delete(one);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: Object.assign(new URL(to), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }).href,
    cut,
    hang: () => {
      for (const socket of sockets) socket.pause();
    },
    mend: () => {
      open = true;
      for (const socket of sockets) socket.resume();
    },
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CommandError } from "../failure.ts";

/** SQLITE_BUSY: somebody else has the lock. */
const sqliteBusy = 5;

/**
 * How long a lock that is held is tried again. SQLite takes an exclusive lock in steps: of two that come at once, each may
 * find the other on its way; the one then goes back and tries again, so that the other gets it.
 */
const patienceMs = 1000;

/**
 * Keeps everybody else from what is in a folder, until it is disposed of. The lock is the operating system's, on the file
 * `lock`, in the way that SQLite takes it: it ends with the process, however that ends, so that none is ever left behind.
 *
 * *Throws*: CommandError when another process keeps it for more than a second, or the file cannot be locked.
 */
export function lockFolder(folder: string): Disposable {
  const file = new DatabaseSync(join(folder, "lock"), { timeout: patienceMs });
  try {
    file.exec("begin exclusive");
  } catch (error) {
    file.close();
    const isBusy = error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
    if (!isBusy) throw new CommandError(`${join(folder, "lock")} cannot be used as a lock`, { cause: error });
    throw new CommandError(`another portvakt is at work on the keys in ${folder}`, {
      hints: ["try again when it is done"],
      cause: error,
    });
  }
  return { [Symbol.dispose]: () => file.close() };
}

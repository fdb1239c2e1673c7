import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CommandError } from "../failure.ts";

/** SQLITE_BUSY: somebody else has the lock. */
const sqliteBusy = 5;

/**
 * Keeps everybody else from what is in a folder, until it is disposed of. The lock is the operating system's, on the file
 * `lock`, in the way that SQLite takes it: it ends with the process, however that ends, so that none is ever left behind.
 *
 * *Throws*: CommandError when another process has it, or the file cannot be locked.
 */
export function lockFolder(folder: string): Disposable {
  const file = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
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

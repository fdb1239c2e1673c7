import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JWK } from "@portvakt/oauth";

/** Where a stand-in's signing keys outlive the process. Without one, every start has new keys. */
export interface KeyKeeper {
  /** Private keys, newest first; none at the first start. */
  read(): Promise<readonly JWK[]>;
  write(keys: readonly JWK[]): Promise<void>;
}

/** Keeps the keys of the stand-in `name` in a file of `folder` that only its owner can read. */
export function keysInFolder(folder: string, name: string): KeyKeeper {
  const file = join(folder, `${name}.json`);
  return {
    async read() {
      const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      return text === undefined ? [] : (JSON.parse(text) as { keys: JWK[] }).keys;
    },
    async write(keys) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(`${file}.new`, `${JSON.stringify({ keys })}\n`, { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
  };
}

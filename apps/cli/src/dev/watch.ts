import { watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";

const quietMs = 40;

/**
 * Calls back soon after one of these files was written, replaced or removed, once for changes close together. Folders are
 * watched, and not files: editors put a new file in the place of the old one. Ends with the signal.
 */
export function watchFiles(files: readonly string[], changed: () => void, signal: AbortSignal): void {
  const byFolder = Map.groupBy(files, (file) => dirname(file));
  let timer: NodeJS.Timeout | undefined;
  const watchers = [...byFolder].map(([folder, own]): FSWatcher => {
    const names = new Set(own.map((file) => basename(file)));
    const watcher = watch(folder, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(timer);
      timer = setTimeout(changed, quietMs);
    });
    // a folder that goes away ends the platform's interest in it, not the platform
    watcher.on("error", () => watcher.close());
    return watcher;
  });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  });
}

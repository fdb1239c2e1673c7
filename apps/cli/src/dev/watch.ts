import { watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import { isYaml, type ManifestPlaces } from "../manifests/files.ts";

const quietMs = 40;

/**
 * Calls back soon after a manifest was written, replaced, added or removed, once for changes close together. `places` says
 * where to look, and is asked again after every change. Folders are watched, and not files: editors put a new file in the
 * place of the old one. Ends with the signal.
 */
export async function watchManifests(
  places: () => Promise<ManifestPlaces>,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  const watchers = new Map<string, FSWatcher>();
  let looked = watched(await places());
  let timer: NodeJS.Timeout | undefined;

  const matters = (folder: string, name: string | null): boolean => {
    const of = looked.get(folder);
    if (name === null || of === undefined || of.files.has(name)) return true;
    // what has no ending may be a new folder, or one that is gone
    return of.whole && (isYaml(name) || !name.includes("."));
  };
  const follow = (): void => {
    for (const [folder, watcher] of watchers) {
      if (looked.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of looked.keys()) {
      if (watchers.has(folder)) continue;
      const watcher = watch(folder, (_event, name) => {
        if (!matters(folder, name)) return;
        clearTimeout(timer);
        timer = setTimeout(() => void again(), quietMs);
      });
      watchers.set(folder, watcher);
      // a folder that goes away ends the platform's interest in it, not the platform
      watcher.on("error", () => watcher.close());
    }
  };
  const again = async (): Promise<void> => {
    looked = watched(await places().catch((): ManifestPlaces => ({ files: [], folders: [] })));
    if (signal.aborted) return;
    follow();
    changed();
  };
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  });
  if (!signal.aborted) follow();
}

/** A folder of which these files count, or all that may be manifests. */
interface Watched {
  readonly files: ReadonlySet<string>;
  readonly whole: boolean;
}

function watched({ files, folders }: ManifestPlaces): ReadonlyMap<string, Watched> {
  const byFolder = new Map<string, Watched>();
  for (const [folder, own] of Map.groupBy(files, dirname)) {
    byFolder.set(folder, { files: new Set(own.map((file) => basename(file))), whole: false });
  }
  for (const folder of folders) {
    byFolder.set(folder, { files: byFolder.get(folder)?.files ?? new Set(), whole: true });
  }
  return byFolder;
}

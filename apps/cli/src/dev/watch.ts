import { existsSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { CommandError } from "../failure.ts";
import { isYaml, type ManifestPlaces } from "../manifests/files.ts";

const quietMs = 40;

interface Following {
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * Calls back soon after a manifest was written, replaced, added or removed, once for changes close together. `places` says
 * where to look, and is asked again after every change. Folders are watched, and not files: editors put a new file in the
 * place of the old one. For a folder that is gone, the nearest one above it is: version control takes folders away and puts
 * new ones in their places. Ends with the signal.
 *
 * *Throws*: CommandError, later to `failed`, when the system watches no more.
 */
export async function watchManifests(
  places: () => Promise<ManifestPlaces>,
  { changed, failed, signal }: Following,
): Promise<void> {
  const watchers = new Map<string, FSWatcher>();
  let looked = watched(await places());
  let timer: NodeJS.Timeout | undefined;

  const matters = (folder: string, name: string | null): boolean => {
    const of = looked.get(folder);
    if (name === null || name === basename(folder)) return true;
    const path = join(folder, name);
    if (of === undefined) return [...looked.keys()].some((one) => `${one}${sep}`.startsWith(`${path}${sep}`));
    if (of.files.has(name)) return true;
    // what has no ending may be a new folder, or one that is gone
    return of.whole && (isYaml(name) || !name.includes("."));
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void again().catch(failed), quietMs);
  };
  const leave = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const look = (folder: string): FSWatcher =>
    watch(folder, (_event, name) => {
      if (!matters(folder, name)) return;
      // it may be the folder itself that went, with another in its place
      if (name === basename(folder)) leave(folder);
      soon();
    });
  const follow = (): void => {
    const wanted = new Set([...looked.keys()].map(nearest));
    for (const folder of watchers.keys()) if (!wanted.has(folder)) leave(folder);
    for (const folder of wanted) {
      if (watchers.has(folder)) continue;
      try {
        const watcher = look(folder);
        watchers.set(folder, watcher);
        // a folder that goes away ends the platform's interest in it, not the platform
        watcher.on("error", () => leave(folder));
      } catch (error) {
        if (existsSync(folder)) throw unwatchable(folder, error);
        soon(); // it went just now
      }
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

function unwatchable(folder: string, cause: unknown): CommandError {
  return new CommandError(`changes in ${folder} cannot be noticed`, {
    hints: ["on Linux, fs.inotify.max_user_watches and max_user_instances say how much is watched at most"],
    cause,
  });
}

/** The folder, or where it is gone the first one above it. */
function nearest(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));
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

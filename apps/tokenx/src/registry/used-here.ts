import { closeSync, openSync, readFileSync, renameSync, statSync, writeFileSync, writeSync } from "node:fs";
import { memoryReplay } from "@portvakt/issuer";
import { ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import { inBatches } from "./in-batches.ts";
import { hashOf, marginSeconds, maxRemembered } from "./used-once.ts";
import type { Used, UsedOnce } from "./used-once.ts";

/**
 * Remembers used assertions and statements for a process that nobody stands beside: embedded PGlite, which one process has to
 * itself. Its memory decides; a line in `file` is written before the answer, so that also a process that is killed has forgotten
 * nothing when it starts again. (PGlite itself is no place for it: a query there costs as much CPU as ten signatures.)
 * Without a file nothing outlives the process, nor do the registrations that it would be of use to.
 */
export function usedHere({ now, file }: { now: Clock; file: string | undefined }): UsedOnce {
  let own = memoryReplay({ now, maxEntries: maxRemembered });
  const journal = file === undefined ? undefined : openJournal(file, now);
  const write =
    journal &&
    inBatches(async (lines: readonly Used[]) => {
      journal.append(lines);
      return () => undefined;
    });
  return {
    claim: async (key, end, by) => {
      const hash = hashOf(key);
      const expiresAt = end + marginSeconds;
      if (!own(hash, expiresAt, by)) return false;
      await write?.({ hash, expiresAt });
      return true;
    },
    load: async () => {
      const known = journal?.rewrite().map(({ hash, expiresAt }) => [hash, expiresAt] as const);
      own = memoryReplay({ now, maxEntries: maxRemembered, ...(known && { known }) });
    },
    sweep: async () => journal?.shorten(),
    close: async () => journal?.close(),
  };
}

/** While it is shorter than this, what has expired may stay. */
const shortBytes = 1_000_000;

/** A file of lines that only grows, but for being written anew without what has expired. Lines that come together are one call, done when it returns. */
function openJournal(file: string, now: Clock) {
  let open: number | undefined;
  /** Whether the file may end within a line: on a full disk. */
  let isTorn = false;

  function close(): void {
    if (open !== undefined) closeSync(open);
    open = undefined;
  }

  /** Gives what has not expired. */
  function rewrite(): readonly Used[] {
    const live = readLines(file).filter(({ expiresAt }) => expiresAt > now());
    const fresh = `${file}.new`;
    writeFileSync(fresh, live.map(toText).join(""), { mode: 0o600 });
    renameSync(fresh, file);
    close();
    open = openSync(file, "a");
    return live;
  }

  return {
    rewrite,
    close,
    shorten: (): void => {
      if (statSync(file).size > shortBytes) rewrite();
    },
    append: (lines: readonly Used[]): void => {
      const text = `${isTorn ? "\n" : ""}${lines.map(toText).join("")}`;
      try {
        if (open === undefined) throw new Error(`${file} is not open`);
        isTorn = true;
        if (writeSync(open, text) < text.length) throw new Error(`${file} took a part of the lines only`);
        isTorn = false;
      } catch (cause) {
        const description = "the server cannot remember the assertion";
        throw new ProtocolError("temporarily_unavailable", description, { cause });
      }
    },
  };
}

const toText = ({ hash, expiresAt }: Used): string => `${hash} ${expiresAt}\n`;

/** A line that the process was killed in is not whole, and nobody was answered for it. */
function readLines(file: string): Used[] {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return [...whole.matchAll(/^(\S+) (\S+)$/gm)].map(([, hash = "", expiresAt]) => ({
    hash,
    expiresAt: Number(expiresAt),
  }));
}

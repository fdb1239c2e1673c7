import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { CommandError } from "../failure.ts";
import { birthOf } from "../running/state.ts";

/** Whose the lock is. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When that process was started. */
  readonly born?: string | undefined;
}

/**
 * Keeps everybody else from what is in a folder, until it is disposed of. The lock of a process that is gone is none.
 *
 * *Throws*: CommandError when somebody has it.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const file = join(folder, "lock");
  const own: Holder = { host: hostname(), pid: process.pid, born: birthOf(process.pid) };
  if (!(await created(file, own))) {
    const text = await readFile(file, "utf8").catch(() => "");
    const holder = holderIn(text);
    if (holder === undefined || holds(holder)) throw taken(file, holder);
    await takeAway(file, text);
    if (!(await created(file, own))) throw taken(file);
  }
  return { [Symbol.asyncDispose]: async () => await rm(file, { force: true }) };
}

async function created(file: string, own: Holder): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(own), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Nothing where the text says nothing: its writer may not have come to it yet. */
function holderIn(text: string): Holder | undefined {
  try {
    const { host, pid, born }: Holder = JSON.parse(text);
    return Number.isInteger(pid) && pid > 0 ? { host, pid, born } : undefined;
  } catch {
    return undefined;
  }
}

/** A process of another machine cannot be asked for. */
function holds({ host, pid, born }: Holder): boolean {
  return host !== hostname() || birthOf(pid) === born;
}

/** Of several who find a lock that is nobody's, one takes it away; another may by then hold what stands in its place. */
async function takeAway(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    throw taken(file);
  }
  if ((await readFile(aside, "utf8")) === text) return await rm(aside);
  await rename(aside, file);
  throw taken(file);
}

function taken(file: string, holder?: Holder): CommandError {
  const who = holder === undefined ? "" : ` (process ${holder.pid} on ${holder.host})`;
  return new CommandError(`another portvakt is at work on these keys${who}`, {
    hints: [`try again when it is done; if none is at work any more, remove ${file}`],
  });
}

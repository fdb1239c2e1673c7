// Processes as the operating system sees them.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function table(): Promise<Row[]> {
  const { stdout } = await execFileAsync("ps", ["-A", "-o", "pid=,ppid=,args="], {
    maxBuffer: 8 * 1024 * 1024,
  });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** A process and all that it started, directly or not. */
export async function family(pid: number): Promise<Row[]> {
  const rows = await table();
  const found = rows.filter((row) => row.pid === pid);
  for (const member of found) found.push(...rows.filter((row) => row.parent === member.pid));
  return found;
}

/** The first process of the family whose command matches. *Throws* when there is none. */
export async function memberOf(pid: number, command: RegExp): Promise<number> {
  const members = await family(pid);
  const found = members.find((row) => command.test(row.command));
  if (!found)
    throw new Error(`no process like ${String(command)} among:\n${members.map((m) => m.command).join("\n")}`);
  return found.pid;
}

/** Which of these still run, once all are gone or after `seconds`. */
export async function remaining(pids: readonly number[], seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const alive = (await table()).map((row) => row.pid).filter((pid) => pids.includes(pid));
    if (alive.length === 0 || performance.now() > until) return alive;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

import { readFile } from "node:fs/promises";

/** The token that stands for this workload is not where it is to be. */
export class WorkloadTokenUnreadable extends Error {
  override readonly name = "WorkloadTokenUnreadable";
}

/** Reads the workload's projected token (RFC 7523 section 2.2), anew each time: the platform replaces it. */
export function workloadToken(path: string): () => Promise<string> {
  const problem = "the workload's token, which authenticates this application, cannot be read from its file";
  return async () => {
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      throw new WorkloadTokenUnreadable(problem, { cause });
    });
    if (text.trim() === "") throw new WorkloadTokenUnreadable(`${problem}: it is empty`);
    return text.trim();
  };
}

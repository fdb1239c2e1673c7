import type { IncomingMessage } from "node:http";

/**
 * What a runtime may have beyond the web's names: files and Unix sockets. They are asked for by name at their first use, so that bundles for
 * browsers and edge runtimes find no import of Node.js here.
 */
interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

function builtin(name: string): unknown {
  const found = (globalThis as Host).process?.getBuiltinModule?.(name);
  if (found === undefined) throw new Error(`this runtime has no ${name}`);
  return found;
}

/** Reads a file with a secret: one word of printable ASCII. *Throws*: Error, which never holds any of it. */
export async function readSecret(path: string): Promise<string> {
  const { readFile } = builtin("node:fs/promises") as typeof import("node:fs/promises");
  const secret = (await readFile(path, "utf8")).trim();
  if (!/^[\x21-\x7e]{1,4096}$/.test(secret)) throw new Error("the file does not hold one word");
  return secret;
}

/** Sends a body to an address. Redirects are not followed. */
export type Post = (
  url: string,
  sent: { readonly headers: Record<string, string>; readonly body: string; readonly signal: AbortSignal },
) => Promise<Response>;

/** Makes what sends over a Unix socket; of the address only the path counts. */
export function postOverSocket(socketPath: string): Post {
  return async (url, { headers, body, signal }) => {
    const { request } = builtin("node:http") as typeof import("node:http");
    const { Readable } = builtin("node:stream") as typeof import("node:stream");
    const { pathname: path } = new URL(url);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      // A connection of its own for each costs next to nothing here, and not every runtime gives up on one that was used before.
      const connection = { socketPath, agent: false as const };
      const asked = request({ ...connection, path, method: "POST", headers, signal }, resolve);
      asked.on("error", reject).end(body);
    });
    const stream = Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>;
    return new Response(stream, { status: answer.statusCode ?? 0 });
  };
}

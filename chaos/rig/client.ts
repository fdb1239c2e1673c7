// HTTP as a browser or an application speaks it, with what went wrong as an answer like any other.
import http from "node:http";

export interface Answer {
  /** 0 = no answer: refused, reset, or none in time. */
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly seconds: number;
}

export interface Ask {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutSeconds?: number;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });

/** Sends one request to this machine. Never throws. */
export function send(ask: Ask): Promise<Answer> {
  const started = performance.now();
  const { port, path, method = "GET", headers = {}, body, timeoutSeconds = 30 } = ask;
  return new Promise((resolve) => {
    const done = (status: number, from: http.IncomingHttpHeaders = {}, text = ""): void =>
      resolve({ status, headers: from, body: text, seconds: (performance.now() - started) / 1000 });
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent, signal });
    request.on("error", () => done(0));
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => done(response.statusCode ?? 0, response.headers, text));
      response.on("error", () => done(0));
      response.on("close", () => done(0));
    });
    request.end(body);
  });
}

/** What a browser sends with a click, and what a page's script sends. */
export const navigation = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

type Jar = Map<string, string>;

function keep(jar: Jar, lines: readonly string[] = []): void {
  for (const line of lines) {
    const [pair = ""] = line.split(";");
    const name = pair.slice(0, pair.indexOf("="));
    if (/max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, pair.slice(name.length + 1));
  }
}

const header = (jar: Jar | undefined): string =>
  [...(jar ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");

/**
 * Follows redirects from `start` as a browser does, with a jar per host. `portOf` says where a host is.
 * Gives the last answer, and the cookies of the host that it started at. An address that begins with `leaveAt` is not
 * followed: it is `location`.
 */
export async function browse(
  start: URL,
  portOf: (host: string) => number,
  leaveAt?: string,
): Promise<{ readonly answer: Answer; readonly cookie: string; readonly location?: URL }> {
  const jars = new Map<string, Jar>();
  let url = start;
  for (let hops = 0; hops < 20; hops++) {
    const { host } = url;
    const jar = jars.getOrInsertComputed(host, () => new Map());
    const headers = { ...navigation, host, ...(jar.size === 0 ? {} : { cookie: header(jar) }) };
    const answer = await send({ port: portOf(host), path: url.pathname + url.search, headers });
    keep(jar, answer.headers["set-cookie"]);
    const { location } = answer.headers;
    const cookie = header(jars.get(start.host));
    if (location === undefined) return { answer, cookie };
    url = new URL(location, url);
    if (leaveAt !== undefined && url.href.startsWith(leaveAt)) return { answer, cookie, location: url };
  }
  throw new Error("the redirects did not end");
}

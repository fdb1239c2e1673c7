// A small browser: a cookie jar by host and path, over real sockets, with raw control of the request.
import http from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly url: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
}

interface Cookie {
  readonly value: string;
  readonly path: string;
}

export const navigation = {
  accept: "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "none",
};
export const background = {
  accept: "application/json",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "empty",
  "sec-fetch-site": "same-origin",
};

export interface Browser {
  /** One request, without following redirects. */
  readonly send: (url: string, ask?: Ask) => Promise<Answer>;
  /** A navigation with all its redirects. */
  readonly go: (url: string, ask?: Ask) => Promise<Answer>;
  readonly cookie: (name: string) => string | undefined;
  readonly cookieNames: () => string[];
  readonly setCookie: (name: string, value: string) => void;
  readonly forget: () => void;
  readonly trail: string[];
}

/** Hosts that are names of the test's own go to this address, whatever they are called. */
export function openBrowser(hosts: Record<string, string> = {}): Browser {
  // By host; a cookie for a whole domain stands under ".domain".
  const jar = new Map<string, Map<string, Cookie>>();
  const trail: string[] = [];

  const send = async (url: string, ask: Ask = {}): Promise<Answer> => {
    const target = new URL(url);
    const cookiesAt = (place: string): Map<string, Cookie> => jar.getOrInsert(place, new Map());
    cookiesAt(target.host);
    const pairs = [...jar]
      .filter(
        ([place]) =>
          place === target.host || (place.startsWith(".") && `.${target.hostname}`.endsWith(place)),
      )
      .flatMap(([, cookies]) => [...cookies])
      .filter(([, cookie]) => target.pathname.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`);
    trail.push(url);
    const answer = await request(hosts[target.host] ?? target.host, target, {
      ...ask,
      headers: {
        host: target.host,
        ...(pairs.length === 0 ? {} : { cookie: pairs.join("; ") }),
        ...ask.headers,
      },
    });
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [pair = "", ...attributes] = line.split("; ");
      const name = pair.slice(0, pair.indexOf("="));
      const valueOf = (attribute: string): string | undefined =>
        attributes.find((one) => one.startsWith(`${attribute}=`))?.slice(attribute.length + 1);
      const path = valueOf("Path") ?? "/";
      const domain = valueOf("Domain");
      // RFC 6265 section 5.3: a host outside the domain has no say, and __Host- forbids one.
      if (
        domain !== undefined &&
        (name.startsWith("__Host-") || !`.${target.hostname}`.endsWith(`.${domain}`))
      )
        continue;
      const cookies = cookiesAt(domain === undefined ? target.host : `.${domain}`);
      if (attributes.includes("Max-Age=0")) cookies.delete(name);
      else cookies.set(name, { value: pair.slice(name.length + 1), path });
    }
    return answer;
  };
  const all = (): [string, Cookie][] => [...jar.values()].flatMap((cookies) => [...cookies]);
  return {
    trail,
    send,
    async go(url, ask = {}) {
      let at = url;
      let answer = await send(at, { ...ask, headers: { ...navigation, ...ask.headers } });
      for (
        let hops = 0;
        hops < 15 && answer.status >= 300 && answer.status < 400 && answer.headers.location !== undefined;
        hops++
      ) {
        at = new URL(answer.headers.location, at).href;
        answer = await send(at, { headers: { ...navigation, ...ask.headers } });
      }
      return answer;
    },
    cookie: (name) => all().find(([one]) => one === name)?.[1].value,
    cookieNames: () => all().map(([name]) => name),
    setCookie: (name, value) => {
      for (const cookies of jar.values()) cookies.set(name, { value, path: "/" });
    },
    forget: () => jar.clear(),
  };
}

async function request(address: string, target: URL, ask: Ask): Promise<Answer> {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      {
        host,
        port,
        path: target.pathname + target.search,
        method: ask.method ?? "GET",
        headers: ask.headers ?? {},
        agent: false,
      },
      (incoming) => {
        let body = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (body += chunk));
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            rawHeaders: incoming.rawHeaders,
            body,
            url: target.href,
          }),
        );
        incoming.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(ask.body);
  });
}

// Somebody's browser without JavaScript: cookies, redirects, and the first form of a page.

import { request } from "node:http";

interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One person's browser. On the loopback interface cookies go by host name, as in browsers: ports do not part them. */
export interface Visitor {
  open(url: string | URL, form?: URLSearchParams): Promise<Page>;
  /** Presses a button of the page: the form that has it is sent, hidden fields and all. */
  press(page: Page, name: string, value: string): Promise<Page>;
}

const maxRedirects = 12;

/** One request as a navigating browser sends it; fetch cannot say that it navigates. */
function navigate(url: URL, cookies: string, form: URLSearchParams | undefined): Promise<Page> {
  const { promise, resolve, reject } = Promise.withResolvers<Page>();
  const headers: Record<string, string> = { accept: "text/html", "sec-fetch-mode": "navigate" };
  if (cookies !== "") headers["cookie"] = cookies;
  if (form !== undefined) headers["content-type"] = "application/x-www-form-urlencoded";
  const sent = request(url, { method: form === undefined ? "GET" : "POST", headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const received = Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
        values.map((value): [string, string] => [name, value]),
      );
      resolve({
        url: url.href,
        status: response.statusCode ?? 0,
        headers: new Headers(received),
        text: Buffer.concat(chunks).toString(),
      });
    });
  });
  sent.on("error", reject);
  sent.end(form?.toString());
  return promise;
}

/** Opens an empty browser. */
export function visitorWithoutScripts(): Visitor {
  const jars = new Map<string, Map<string, string>>();
  const once = async (url: URL, form?: URLSearchParams): Promise<Page> => {
    const jar = jars.getOrInsertComputed(url.hostname, () => new Map());
    const page = await navigate(url, [...jar].map(([name, value]) => `${name}=${value}`).join("; "), form);
    for (const cookie of page.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";", 1);
      const [name = "", ...value] = pair.split("=");
      if (/max-age=0\b|expires=thu, 01[ -]jan[ -]1970/iu.test(cookie)) jar.delete(name);
      else jar.set(name, value.join("="));
    }
    return page;
  };
  const open: Visitor["open"] = async (address, form) => {
    let page = await once(new URL(address), form);
    for (let count = 0; page.headers.has("location"); count += 1) {
      if (count === maxRedirects)
        throw new Error(`more than ${maxRedirects} redirects, the last to ${page.url}`);
      page = await once(new URL(page.headers.get("location") ?? "", page.url));
    }
    return page;
  };
  const press: Visitor["press"] = async (page, name, value) => {
    const forms = page.text.match(/<form\b[^>]*>.*?<\/form>/gsu) ?? [];
    const form = forms.find((one) => new RegExp(`name="${name}"\\s+value="${value}"`, "u").test(one));
    if (form === undefined)
      throw new Error(`no button ${name}=${value} on ${page.url}:\n${page.text.slice(-1500)}`);
    const body = new URLSearchParams({ [name]: value });
    for (const [tag] of form.matchAll(/<input\b[^>]*>/gsu)) {
      const field = /name="([^"]*)"/u.exec(tag)?.[1];
      if (/type="hidden"/u.test(tag) && field !== undefined)
        body.set(field, /value="([^"]*)"/u.exec(tag)?.[1] ?? "");
    }
    return open(new URL(/action="([^"]*)"/u.exec(form)?.[1] ?? "", page.url), body);
  };
  return { open, press };
}

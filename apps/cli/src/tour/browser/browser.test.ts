import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outgoing } from "../http.ts";
import { createBrowser } from "./browser.ts";
import { createCookieJar } from "./cookies.ts";
import { formsOf, linksOf, textOf } from "./forms.ts";

function answer(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) headers.append("set-cookie", line);
  return headers;
}

describe("the cookie jar", () => {
  const at = (url: string): URL => new URL(url);
  const cases: readonly {
    name: string;
    set: readonly string[];
    from: string;
    to: string;
    sent: string | undefined;
  }[] = [
    {
      name: "a cookie comes back",
      set: ["a=1; Path=/"],
      from: "http://localhost:1/",
      to: "http://localhost:1/x",
      sent: "a=1",
    },
    {
      name: "RFC 6265 section 8.5: ports share cookies",
      set: ["a=1; Path=/"],
      from: "http://localhost:1/",
      to: "http://localhost:2/",
      sent: "a=1",
    },
    {
      name: "another host gets none",
      set: ["a=1; Path=/"],
      from: "http://localhost:1/",
      to: "http://127.0.0.1:1/",
      sent: undefined,
    },
    {
      name: "RFC 6265 section 5.1.4: a path matches whole segments",
      set: ["a=1; Path=/oauth2"],
      from: "http://localhost/",
      to: "http://localhost/oauth2x",
      sent: undefined,
    },
    {
      name: "RFC 6265 section 5.1.4: and everything below",
      set: ["a=1; Path=/oauth2"],
      from: "http://localhost/",
      to: "http://localhost/oauth2/callback",
      sent: "a=1",
    },
    {
      name: "without a path, the folder of the request is meant",
      set: ["a=1"],
      from: "http://localhost/a/b",
      to: "http://localhost/c",
      sent: undefined,
    },
    {
      name: "the later value stands",
      set: ["a=1; Path=/", "a=2; Path=/"],
      from: "http://localhost/",
      to: "http://localhost/",
      sent: "a=2",
    },
    {
      name: "Max-Age=0 takes a cookie away",
      set: ["a=1; Path=/", "a=; Path=/; Max-Age=0"],
      from: "http://localhost/",
      to: "http://localhost/",
      sent: undefined,
    },
    {
      name: "a date in the past does, too",
      set: ["a=1; Path=/", "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
      from: "http://localhost/",
      to: "http://localhost/",
      sent: undefined,
    },
    {
      name: "longer paths come first",
      set: ["a=1; Path=/", "b=2; Path=/x"],
      from: "http://localhost/",
      to: "http://localhost/x",
      sent: "b=2; a=1",
    },
  ];
  for (const { name, set, from, to, sent } of cases) {
    test(name, () => {
      const jar = createCookieJar();
      jar.take(at(from), answer(set));
      assert.equal(jar.header(at(to)), sent);
    });
  }
});

describe("a page", () => {
  const html = `<form method="post" action="/go"><input type="hidden" name="pending" value="x&amp;y">
    <input type="radio" name="level" value="high" checked><input type="radio" name="level" value="low">
    <input type="submit" name="no" value="no"><button name="persona" value="kari"><b>Kari</b> F.</button></form>
    <form><button>Find</button></form><a href="../out?a=1&amp;b=2">Sign <i>out</i></a><style>p{}</style>`;

  test("has forms with their fields, as they would be sent, and buttons", () => {
    const [first, second] = formsOf(html, "http://localhost:7001/login/page");
    assert.deepEqual(first, {
      action: "http://localhost:7001/go",
      method: "POST",
      fields: [
        ["pending", "x&y"],
        ["level", "high"],
      ],
      buttons: [{ name: "persona", value: "kari", label: "Kari F." }],
    });
    assert.equal(second?.method, "GET");
    assert.equal(second?.action, "http://localhost:7001/login/page");
  });

  test("has links and text", () => {
    assert.deepEqual(linksOf(html, "http://localhost/a/b"), [
      { href: "http://localhost/out?a=1&b=2", label: "Sign out" },
    ]);
    assert.doesNotMatch(textOf(html), /p\{\}/);
  });
});

describe("the browser", () => {
  const redirect = (to: string, status = 302): Response =>
    new Response(null, { status, headers: { location: to } });

  test("follows redirects as a navigation, and a POST that is redirected becomes a GET", async () => {
    const sent: (Outgoing & { url: string })[] = [];
    const browser = createBrowser(async (url, outgoing = {}) => {
      sent.push({ url, ...outgoing });
      if (url.endsWith("/form"))
        return new Response(`<form method="post" action="/send"><button>Go</button></form>`);
      if (url.endsWith("/send")) return redirect("http://127.0.0.1:9/end");
      return new Response("the end");
    });
    const page = await browser.press(await browser.open("http://localhost:1/form"), "Go");
    assert.equal(page.text, "the end");
    assert.deepEqual(
      sent.map(({ method }) => method),
      ["GET", "POST", "GET"],
    );
    assert.deepEqual(page.way, ["http://localhost:1/send", "http://127.0.0.1:9/end"]);
    assert.deepEqual(
      sent.map(({ headers }) => headers?.["sec-fetch-site"]),
      ["none", "same-origin", "same-site"],
    );
    assert.equal(sent[1]?.headers?.["origin"], "http://localhost:1");
  });

  test("says where it went in a circle", async () => {
    const browser = createBrowser(async () => redirect("/again"));
    await assert.rejects(browser.open("http://localhost:1/"), {
      message: "http://localhost:1/ redirects in a circle",
    });
  });

  test("says which button a page lacks, and what it says instead", async () => {
    const browser = createBrowser(async () => new Response("<p>Out of order</p>"));
    const page = await browser.open("http://localhost:1/");
    await assert.rejects(browser.press(page, "Kari"), (error: { message: string; hint: string }) => {
      assert.equal(error.message, 'the page at http://localhost:1/ has no button that says "Kari"');
      assert.equal(error.hint, "it says: Out of order");
      return true;
    });
  });
});

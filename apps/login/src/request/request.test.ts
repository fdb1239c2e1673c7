import { test } from "node:test";
import assert from "node:assert/strict";
import { findCookie, readCookies, withoutOwnCookies } from "./cookie-header.ts";
import { compileExclusions, compileProviderPaths } from "./exclusions.ts";
import { isUnder, matchIngress, parseIngress } from "./ingress.ts";
import { isNavigation, mayInteract } from "./navigation.ts";
import { readTarget } from "./path.ts";

const globs = [
  { glob: "/static", path: "/static", matches: true },
  { glob: "/static/", path: "/static", matches: true },
  { glob: "/static", path: "/static/", matches: true },
  { glob: "/static", path: "/static/a", matches: false },
  { glob: "/static/*", path: "/static/a", matches: true },
  { glob: "/static/*", path: "/static", matches: false },
  { glob: "/static/*", path: "/static/a/b", matches: false },
  { glob: "/static/**", path: "/static", matches: true },
  { glob: "/static/**", path: "/static/a/b", matches: true },
  { glob: "/static/**", path: "/statics", matches: false },
  { glob: "/any*", path: "/anything", matches: true },
  { glob: "/any*", path: "/anything/else", matches: false },
  { glob: "/a/*/*", path: "/a/b/c", matches: true },
  { glob: "/a/*/*", path: "/a/b", matches: false },
  { glob: "/static/**/*.js", path: "/static/app.js", matches: true },
  { glob: "/static/**/*.js", path: "/static/x/y/app.js", matches: true },
  { glob: "/static/**/*.js", path: "/static/x/app.css", matches: false },
  { glob: "/{css,js}/*", path: "/css/a", matches: true },
  { glob: "/{css,js}/*", path: "/img/a", matches: false },
  { glob: "/v?", path: "/v1", matches: true },
  { glob: "/v?", path: "/v/", matches: false },
  { glob: "/v[0-9]", path: "/v7", matches: true },
  { glob: "/v[!0-9]", path: "/v7", matches: false },
  { glob: "/a.b", path: "/aXb", matches: false },
  { glob: "/internal/is-alive", path: "/internal/is-alive", matches: true },
  { glob: "/static/*-*.css", path: "/static/app-1a-2b.css", matches: true },
  { glob: "/static/*-*.css", path: "/static/app.css", matches: false },
  { glob: "/v[0-9_-]", path: "/v-", matches: true },
  { glob: "/a+(b)|c$^", path: "/a+(b)|c$^", matches: true },
  { glob: "/*a*b", path: "/xaxbxab", matches: true },
  { glob: "/*a*b", path: "/xaxbxa", matches: false },
  { glob: "/**/a/**/b", path: "/a/x/a/b/c/b", matches: true },
  { glob: "/**/a/**/b", path: "/a/x/b/c", matches: false },
  { glob: "/x{,-y}/{a,b}*", path: "/x-y/bc", matches: true },
  { glob: "/{a/b,c}/d", path: "/a/b/d", matches: true },
  { glob: "/s?k", path: "/s\u00f8k", matches: true },
  { glob: "/?", path: "/\u{1f600}", matches: true },
  { glob: "/**", path: "/", matches: true },
  { glob: "/**", path: "/a/b", matches: true },
  { glob: "/", path: "/", matches: true },
  { glob: "/", path: "/a", matches: false },
  { glob: "/x", path: "/favicon.ico", matches: true },
  { glob: "/x", path: "/robots.txt", matches: true },
];
for (const { glob, path, matches } of globs) {
  test(`exclusion ${glob} ${matches ? "covers" : "leaves out"} ${path}`, () =>
    assert.equal(compileExclusions([glob])(path), matches));
}

const unreadable = [
  "static",
  "/a{b",
  "/a}",
  "/{a{b,c}}",
  "/[",
  "/[a",
  "/[z-a]",
  "/a\\b",
  "/{1,2,3,4,5}".repeat(3),
];
for (const glob of [...unreadable, `/${"a".repeat(600)}`]) {
  test(`exclusion ${glob.slice(0, 20)} is refused with its name`, () =>
    assert.throws(() => compileExclusions([glob]), /"/));
}

const slow = [
  { glob: "/assets/*.*.js", path: `/assets/${".".repeat(300_000)}` },
  { glob: "/**/*.*.js", path: `/${".".repeat(300_000)}` },
  { glob: "/**/static/**/x.js", path: "/static".repeat(40_000) },
  { glob: "/{a,b}*a*a*b", path: `/${"a".repeat(300_000)}` },
];
for (const { glob, path } of slow) {
  test(`CWE-1333: ${glob} takes time in proportion to the path that anybody may ask for`, () => {
    const before = process.cpuUsage();
    assert.equal(compileExclusions([glob])(path), false);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 1_000_000, `${user} microseconds`);
  });
}

test("a rule that demands a provider matches letters in either case, those of other alphabets too", () => {
  const provider = compileProviderPaths(["/{Admin,s\u00f8k}/[A-F]?/**=entra"], ["entra"]);
  for (const path of ["/admin/ab", "/ADMIN/Bc/d", "/S\u00d8K/f\u00df/x"])
    assert.equal(provider(path), "entra", path);
  for (const path of ["/admin", "/admin/gx", "/adminx/ab"]) assert.equal(provider(path), undefined, path);
});

const targets = [
  { name: "plain", raw: "/a/b?x=%2F", canonical: "/a/b", ambiguous: false },
  { name: "encoded letters", raw: "/s%C3%B8k", canonical: "/søk", ambiguous: false },
  { name: "dots inside names", raw: "/a.b/..c", canonical: "/a.b/..c", ambiguous: false },
  { name: "a dot segment", raw: "/a/./b", canonical: "/a/./b", ambiguous: true },
  { name: "an encoded dot segment", raw: "/a/%2E%2e/b", canonical: "/a/%2E%2e/b", ambiguous: true },
  { name: "half an encoded dot segment", raw: "/a/.%2e", canonical: "/a/.%2e", ambiguous: true },
  { name: "a dot segment with a parameter", raw: "/a/..;x/b", canonical: "/a/..;x/b", ambiguous: true },
  { name: "an empty segment", raw: "/a//b", canonical: "/a//b", ambiguous: true },
  { name: "an encoded slash", raw: "/a%2fb", canonical: "/a%2fb", ambiguous: true },
  { name: "a broken escape", raw: "/a%2", canonical: "/a%2", ambiguous: true },
  { name: "double encoding", raw: "/a%252fb", canonical: "/a%252fb", ambiguous: true },
  { name: "an escape that is no UTF-8", raw: "/%61dmin/%e6", canonical: "/%61dmin/%e6", ambiguous: true },
  { name: "overlong dots", raw: "/a/%c0%ae%c0%ae/b", canonical: "/a/%c0%ae%c0%ae/b", ambiguous: true },
  { name: "an encoded question mark", raw: "/a%3fb", canonical: "/a%3fb", ambiguous: true },
  { name: "an encoded number sign", raw: "/a%23", canonical: "/a%23", ambiguous: true },
];
for (const { name, raw, canonical, ambiguous } of targets) {
  test(`request target: ${name}`, () => {
    const target = readTarget(raw);
    assert.deepEqual([target?.canonical, target?.ambiguous], [canonical, ambiguous]);
    assert.equal((target?.path ?? "") + (target?.search ?? ""), raw, "what is forwarded is what came in");
  });
}

const cookies = [
  { name: "alone", header: "s=1", found: "1" },
  { name: "last", header: "a=2; s=1", found: "1" },
  { name: "as part of another name", header: "xs=2; s.x=3; s=1", found: "1" },
  { name: "as another's value", header: "a=s=9; s=1", found: "1" },
  { name: "twice: the first counts", header: "s=1; s=2", found: "1" },
  { name: "missing", header: "a=1;b=s=2", found: undefined },
  { name: "without a value", header: "s; a=1", found: undefined },
];
for (const { name, header, found } of cookies) {
  test(`cookie found: ${name}`, () => {
    assert.equal(findCookie(header, "s"), found);
    assert.equal(readCookies(header).get("s"), found, "both readers agree");
  });
}

test("own cookies are cut out, the others keep their text", () => {
  const isOwn = (name: string): boolean => name.startsWith("own.");
  assert.equal(withoutOwnCookies('a="x y"; own.s=1; b=2', isOwn), 'a="x y"; b=2');
  assert.equal(withoutOwnCookies("own.s=1;own.t", isOwn), "");
});

const ingresses = [
  { name: "plain http elsewhere", text: "http://app.example.no" },
  { name: "no scheme", text: "app.example.no" },
  { name: "a query", text: "https://app.example.no/?x" },
  { name: "user information", text: "https://a@app.example.no" },
  { name: "an encoded path", text: "https://app.example.no/a%2fb" },
  { name: "another scheme", text: "ftp://app.example.no" },
];
for (const { name, text } of ingresses)
  test(`ingress refused: ${name}`, () => assert.throws(() => parseIngress(text)));

test("the longest ingress that matches wins, hosts in any letters and with the default port", () => {
  const all = ["https://a.test", "https://a.test/x", "https://a.test/x/y"].map(parseIngress);
  assert.equal(matchIngress(all, "A.test", "/x/y/z")?.prefix, "/x/y");
  assert.equal(matchIngress(all, "a.test:443", "/xy")?.prefix, "");
  assert.equal(matchIngress(all, "a.test:80", "/"), undefined);
  assert.equal(isUnder("/application", "/app"), false);
});

const navigations = [
  {
    name: "a browser's navigation",
    headers: { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
    is: true,
  },
  {
    name: "a fetch",
    headers: { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", accept: "text/html" },
    is: false,
  },
  { name: "a frame", headers: { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, is: false },
  { name: "an old browser", headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }, is: true },
  { name: "a program", headers: { accept: "*/*" }, is: false },
  { name: "text/html refused", headers: { accept: "text/html;q=0, application/json" }, is: false },
  { name: "nothing said", headers: {}, is: false },
];
for (const { name, headers, is } of navigations) {
  test(`navigation: ${name}`, () => assert.equal(isNavigation("GET", headers), is));
}
test("a POST is never a navigation that can be repeated, nor may it interact", () => {
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  assert.equal(isNavigation("POST", headers), false);
  assert.equal(mayInteract("POST", headers), false);
});

test("plain http is for this machine: every name below localhost is that, and no other name is", () => {
  for (const host of ["localhost", "app.localhost:7010", "login.sso.localhost", "127.0.0.1", "[::1]:7010"])
    assert.equal(parseIngress(`http://${host}`).secure, false, host);
  for (const host of ["localhost.example.no", "notlocalhost", "app.localhost.example.no", "a..localhost"])
    assert.throws(() => parseIngress(`http://${host}`), Error, host);
});

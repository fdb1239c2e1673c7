import { test } from "node:test";
import assert from "node:assert/strict";
import { array, assert as check, constantFrom, oneof, property, string } from "fast-check";
import { parseIngress } from "./ingress.ts";
import { checkRedirect } from "./redirect.ts";

const root = parseIngress("https://app.example.no");
const base = parseIngress("https://app.example.no/base");
const other = parseIngress("https://other.example.no");
const all = [root, other];

const accepted: { name: string; raw: string; becomes?: string }[] = [
  { name: "a path", raw: "/page" },
  { name: "the root", raw: "/" },
  { name: "a query and a fragment", raw: "/page?a=1&b=2#part" },
  { name: "an address in the query", raw: "/page?next=https://evil.example/" },
  { name: "slashes and backslashes encoded in the query", raw: "/page?a=%2F%2F%5C" },
  { name: "letters encoded in the path", raw: "/s%C3%B8k/%E2%82%AC" },
  { name: "an address on the same origin", raw: "https://app.example.no/page?x=1", becomes: "/page?x=1" },
  { name: "spaces encoded in the path", raw: "/my%20files/a%20b.pdf" },
  { name: "a question mark and a number sign encoded in the path", raw: "/a%3Fb%23c" },
  { name: "dots that are no segment", raw: "/file.tar.gz/..a/b.." },
];
for (const { name, raw, becomes } of accepted) {
  test(`redirect accepted: ${name}`, () => assert.equal(checkRedirect(raw, root, all), becomes ?? raw));
}

const refused: { name: string; raw: string }[] = [
  { name: "nothing", raw: "" },
  { name: "protocol-relative", raw: "//evil.example" },
  { name: "protocol-relative, three slashes", raw: "///evil.example" },
  { name: "protocol-relative with user information", raw: "//app.example.no@evil.example" },
  { name: "backslash for slash", raw: "/\\evil.example" },
  { name: "two backslashes", raw: "\\\\evil.example" },
  { name: "slash, tab, slash", raw: "/\t/evil.example" },
  { name: "slash, line feed, slash", raw: "/\n/evil.example" },
  { name: "slash, encoded tab, slash", raw: "/%09/evil.example" },
  { name: "slash, encoded line feed", raw: "/%0a/evil.example" },
  { name: "slash, encoded carriage return twice", raw: "/%250d/evil.example" },
  { name: "an encoded slash", raw: "/%2fevil.example" },
  { name: "two encoded slashes", raw: "%2f%2fevil.example" },
  { name: "an encoded slash after a slash, twice encoded", raw: "/%252fevil.example" },
  { name: "an encoded backslash", raw: "/%5cevil.example" },
  { name: "an encoded backslash, twice", raw: "/%255cevil.example" },
  { name: "encoded three times", raw: "/%25252fevil.example" },
  { name: "a dot segment before slashes", raw: "/.//evil.example" },
  { name: "two dots before slashes", raw: "/..//evil.example" },
  { name: "encoded dots before slashes", raw: "/%2e%2e//evil.example" },
  { name: "a dot segment inside", raw: "/page/../../evil" },
  { name: "a dot segment at the end", raw: "/page/.." },
  { name: "a vertical tab", raw: "/\v/evil.example" },
  { name: "a no-break space", raw: "/\u00a0/evil.example" },
  { name: "an ideographic full stop", raw: "//evil\u3002example" },
  { name: "a fullwidth slash", raw: "/\uff0fevil.example" },
  { name: "a leading space", raw: " //evil.example" },
  { name: "a NUL", raw: "/\0/evil.example" },
  { name: "an encoded NUL", raw: "/%00" },
  { name: "a delete character", raw: "/\u007f/" },
  { name: "another origin", raw: "https://evil.example/" },
  { name: "another origin that is an ingress of ours", raw: "https://other.example.no/" },
  { name: "another scheme of the same host", raw: "http://app.example.no/" },
  { name: "another port", raw: "https://app.example.no:8443/" },
  { name: "our name as a prefix", raw: "https://app.example.no.evil.example/" },
  { name: "our name as user information", raw: "https://app.example.no@evil.example/" },
  { name: "user information on our own origin", raw: "https://user:pw@app.example.no/" },
  { name: "our name after a backslash", raw: "https://evil.example\\@app.example.no/" },
  { name: "a scheme without slashes", raw: "https:evil.example" },
  { name: "a scheme with one slash", raw: "https:/evil.example" },
  { name: "javascript:", raw: "javascript:alert(1)" },
  { name: "javascript: with a slash", raw: "/javascript:alert(1)//\n" },
  { name: "data:", raw: "data:text/html,x" },
  { name: "a relative path", raw: "evil.example" },
  { name: "a query alone", raw: "?x" },
  { name: "semicolons for slashes", raw: ";//evil.example" },
  { name: "a broken escape", raw: "/%zz" },
  { name: "an overlong escape", raw: "/%c0%af" },
  { name: "our own logout", raw: "/oauth2/logout" },
  { name: "our own login, in other letters", raw: "/OAuth2/login" },
  { name: "our own login, encoded", raw: "/%6fauth2/login" },
  { name: "header injection", raw: "/a\r\nSet-Cookie: x=1" },
  { name: "too long", raw: `/${"a".repeat(2048)}` },
  { name: "too long once it is an address", raw: `/?q=${'"'.repeat(1000)}` },
];
for (const { name, raw } of refused) {
  test(`redirect refused: ${name}`, () => assert.equal(checkRedirect(raw, root, all), undefined));
}

test("redirects stay inside the path of an ingress that has one, on segment boundaries", () => {
  assert.equal(checkRedirect("/base/x", base, [base]), "/base/x");
  assert.equal(checkRedirect("/base", base, [base]), "/base");
  assert.equal(checkRedirect("/baseball", base, [base]), undefined);
  assert.equal(checkRedirect("/", base, [base]), undefined);
});

test("endpoints of ours are no target, of whichever ingress that lies in another", () => {
  const nested = [root, base, parseIngress("https://app.example.no/base/deep")];
  for (const at of nested)
    for (const path of ["/oauth2/logout", "/base/oauth2/logout", "/BASE/OAuth2/login", "/base/deep/%6fauth2"])
      assert.equal(checkRedirect(path, at, nested), undefined, path);
  assert.equal(checkRedirect("/base/oauth2ful", root, nested), "/base/oauth2ful");
});

test("whatever goes in, what comes out stays on the origin in a browser's eyes", () => {
  const piece = constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "%2f",
    "%5c",
    "%2e",
    "%09",
    "%20",
    "%25",
    "@",
    ":",
    "evil.example",
    "a",
    "?",
    "#",
    "\t",
    " ",
    "https:",
    "app.example.no",
    ";",
    "\u3002",
  );
  check(
    property(
      oneof(
        string({ unit: "binary" }),
        array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
      ),
      (raw) => {
        const target = checkRedirect(raw, root, all);
        if (target === undefined) return;
        const url = new URL(target, root.origin);
        assert.equal(url.origin, root.origin);
        assert.equal(new URL(decodeURIComponent(url.pathname), root.origin).origin, root.origin);
      },
    ),
    { numRuns: 5000 },
  );
});

const server = {
  ...parseIngress("https://login.example.no"),
  signsInFor: { domain: "example.no", home: "https://www.example.no/" },
};
const inDomain: { name: string; raw: string; becomes?: string }[] = [
  { name: "the domain itself", raw: "https://example.no/page?a=1#part" },
  { name: "a host of the domain", raw: "https://app.example.no/" },
  { name: "a host below a host", raw: "https://a.b.example.no/x", becomes: "https://a.b.example.no/x" },
  { name: "a port", raw: "https://app.example.no:8443/x" },
  { name: "no path", raw: "https://app.example.no", becomes: "https://app.example.no/" },
  { name: "capitals", raw: "HTTPS://APP.example.NO/", becomes: "https://app.example.no/" },
  { name: "an address in the query", raw: "https://app.example.no/?next=https://evil.example/" },
];
for (const { name, raw, becomes } of inDomain) {
  test(`redirect in the domain accepted: ${name}`, () =>
    assert.equal(checkRedirect(raw, server, [server]), becomes ?? raw));
}

const outOfDomain: { name: string; raw: string }[] = [
  { name: "the domain's name as the end of another's", raw: "https://evilexample.no/" },
  { name: "the domain's name as the beginning of another's", raw: "https://example.no.evil.example/" },
  { name: "the domain's name with a dot behind it", raw: "https://app.example.no./" },
  { name: "the domain's name as user information", raw: "https://example.no@evil.example/" },
  { name: "the domain's name as user information with a port", raw: "https://example.no:443@evil.example/" },
  { name: "user information", raw: "https://user@app.example.no/" },
  { name: "the domain's name after a backslash", raw: "https://evil.example\\.example.no/" },
  { name: "the domain's name after an encoded slash", raw: "https://evil.example%2f.example.no/" },
  { name: "the domain's name after a question mark", raw: "https://evil.example?.example.no/" },
  { name: "the domain's name after a hash", raw: "https://evil.example#.example.no/" },
  { name: "another script's letters", raw: "https://app.ex\u0430mple.no/" },
  { name: "the domain's name in fullwidth letters", raw: "https://evil.example/\uff0eexample.no" },
  { name: "http", raw: "http://app.example.no/" },
  { name: "another scheme", raw: "ftp://app.example.no/" },
  { name: "a path alone", raw: "/page" },
  { name: "protocol-relative", raw: "//app.example.no/" },
  { name: "one slash", raw: "https:/app.example.no/" },
  { name: "three slashes", raw: "https:///app.example.no/" },
  { name: "a dot segment", raw: "https://app.example.no/a/../b" },
  { name: "an encoded slash after a slash", raw: "https://app.example.no/%2fevil.example" },
  { name: "a proxy's own logout", raw: "https://app.example.no/base/oauth2/logout" },
  { name: "a line feed", raw: "https://app.example.no/\nx" },
  { name: "a port that is none", raw: "https://app.example.no:99999/" },
];
for (const { name, raw } of outOfDomain) {
  test(`redirect in the domain refused: ${name}`, () =>
    assert.equal(checkRedirect(raw, server, [server]), undefined));
}

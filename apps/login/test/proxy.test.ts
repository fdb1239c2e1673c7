import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { background, navigation } from "./browser.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { sendRaw } from "./wire.ts";

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

const autoLogin = { PORTVAKT_LOGIN_AUTO_LOGIN: "true" };
const sessionName = "__Host-io.nais.wonderwall.session";

test("weak point 4.2.1: with auto-login, no request without a session and no Authorization of the client's own reaches the application", async (t) => {
  const { browser, ingress, upstream } = await stage(t, {
    env: { ...autoLogin, PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS: "/public/**" },
  });
  const forged = { authorization: "Bearer forged" };
  assert.equal((await browser().send(`${ingress}/`, { headers: { ...background, ...forged } })).status, 401);
  assert.equal((await browser().send(`${ingress}/`, { method: "POST", headers: forged })).status, 401);
  assert.equal(upstream.seen.length, 0);
  assert.equal((await browser().send(`${ingress}/public/x`, { headers: forged })).status, 200);
  assert.equal(upstream.seen[0]?.headers.authorization, undefined);
});

test("without auto-login the client's Authorization passes as the baseline says, and STRIP_AUTHORIZATION removes it", async (t) => {
  const plain = await stage(t);
  await plain.browser().send(`${plain.ingress}/`, { headers: { authorization: "Bearer own" } });
  assert.equal(plain.upstream.seen[0]?.headers.authorization, "Bearer own");
  const strict = await stage(t, { env: { PORTVAKT_LOGIN_STRIP_AUTHORIZATION: "true" } });
  await strict.browser().send(`${strict.ingress}/`, { headers: { authorization: "Bearer own" } });
  assert.equal(strict.upstream.seen[0]?.headers.authorization, undefined);
});

test("a session's token replaces whatever Authorization the client sent", async (t) => {
  const { signedIn, ingress, upstream } = await stage(t);
  const user = await signedIn();
  await user.send(`${ingress}/`, { headers: { authorization: ["Bearer forged", "Basic forged"] } });
  const seen = upstream.seen.at(-1);
  const all = seen?.rawHeaders.filter(
    (_, index, raw) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === "authorization",
  );
  assert.equal(all?.length, 1);
  assert.match(all?.[0] ?? "", /^Bearer ey/);
});

test("weak point 4.2.2: our own cookies never reach the application, its own do", async (t) => {
  const { signedIn, ingress, upstream } = await stage(t);
  const user = await signedIn();
  const own = `${sessionName}=${user.cookie(sessionName)}`;
  await user.send(`${ingress}/`, {
    headers: {
      cookie: `theme=dark; ${own}; io.nais.wonderwall.callback.x=1;lang=nb; __SECURE-io.nais.wonderwall.logout=2`,
    },
  });
  assert.equal(upstream.seen.at(-1)?.headers.cookie, "theme=dark;lang=nb");
});

test("the session cookie stays under 1 kB whatever the token's size", async (t) => {
  const { signedIn } = await stage(t, {
    knobs: {
      idClaims: (claims) => ({
        ...claims,
        groups: Array.from({ length: 200 }, (_, i) => `group-${i}-00000000-0000`),
      }),
    },
  });
  assert.ok((await signedIn()).cookie(sessionName)!.length < 200);
});

const spoofed = [
  "X-Wonderwall-Id-Token",
  "x_wonderwall_id_token",
  "X_WONDERWALL-Id_Token",
  "X-Wonderwall-Forward-Auth-Token",
  "X-Portvakt-User",
  "X_Forwarded_For",
  "X_Forwarded-Host",
  "Content_Length",
  "Transfer_Encoding",
  "Forwarded",
  "X-Real-IP",
  "X-Forwarded-User",
  "X-Forwarded-Prefix",
  "X-Original-Forwarded-For",
  "X-Original-Host",
  "X-Original-Method",
];
for (const name of spoofed) {
  test(`RFC 9700 section 4.13: a client cannot send ${name}`, async (t) => {
    const { signedIn, ingress, upstream } = await stage(t);
    const user = await signedIn();
    await user.send(`${ingress}/`, { headers: { [name]: "spoofed" } });
    assert.ok(!upstream.seen.at(-1)?.rawHeaders.includes("spoofed"));
  });
}

test("what was judged is what the application is asked: no header names another path, nor another method for a safe one", async (t) => {
  const { browser, signedIn, ingress, upstream } = await stage(t, {
    env: {
      ...autoLogin,
      PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS: "/public/**",
      PORTVAKT_LOGIN_TRUSTED_PROXIES: "127.0.0.0/8",
    },
  });
  const paths = { "x-original-url": "/secret", "X-Rewrite-URL": "/secret", x_original_url: "/secret" };
  const methods = {
    "x-http-method-override": "DELETE",
    "X-Method-Override": "DELETE",
    "x-http-method": "DELETE",
  };
  const way = { "x-original-forwarded-for": "1.2.3.4" };
  await browser().send(`${ingress}/public/x`, { headers: { ...paths, ...methods, ...way } });
  const seen = upstream.seen[0]!;
  assert.equal(seen.url, "/public/x");
  assert.ok(!seen.rawHeaders.includes("/secret") && !seen.rawHeaders.includes("DELETE"));
  assert.equal(
    seen.headers["x-original-forwarded-for"],
    "1.2.3.4",
    "a listed proxy says where a request came from",
  );
  const posted = await (
    await signedIn()
  ).send(`${ingress}/x`, {
    method: "POST",
    headers: { ...methods, origin: ingress },
    body: "x",
  });
  assert.equal(posted.status, 200);
  assert.equal(
    upstream.seen.at(-1)?.headers["x-http-method-override"],
    "DELETE",
    "judged as unsafe in any case",
  );
});

test("weak point 4.2.4: X-Forwarded-* are set anew unless the peer is on the list", async (t) => {
  const strict = await stage(t);
  const forwarded = {
    "x-forwarded-for": "1.2.3.4",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "gopher",
  };
  await strict.browser().send(`${strict.ingress}/`, { headers: forwarded });
  const seen = strict.upstream.seen[0]?.headers;
  assert.deepEqual(
    [seen?.["x-forwarded-for"], seen?.["x-forwarded-host"], seen?.["x-forwarded-proto"]],
    ["127.0.0.1", "app.test", "https"],
  );
  const trusting = await stage(t, { env: { PORTVAKT_LOGIN_TRUSTED_PROXIES: "127.0.0.0/8" } });
  await trusting
    .browser()
    .send(`${trusting.ingress}/`, { headers: { ...forwarded, "x-forwarded-host": "app.test" } });
  const believed = trusting.upstream.seen[0]?.headers;
  assert.deepEqual(
    [believed?.["x-forwarded-for"], believed?.["x-forwarded-proto"]],
    ["1.2.3.4, 127.0.0.1", "gopher"],
  );
});

test("weak point 4.2.3: an ingress matches by host and by whole path segments", async (t) => {
  const { browser, ingress } = await stage(t, { ingress: "https://app.test/base", env: autoLogin });
  const at = async (path: string, host = "app.test") =>
    (await browser().send(`${ingress.replace("/base", "")}${path}`, { headers: { ...navigation, host } }))
      .headers.location;
  assert.equal(await at("/base/x"), "/base/oauth2/login?redirect=%2Fbase%2Fx");
  assert.equal(await at("/baseball/x"), undefined);
  assert.equal(await at("/base/x", "evil.example"), undefined);
  const spoofed = await browser().send("https://app.test/base/oauth2/login", {
    headers: { ...navigation, host: "evil.example", "x-forwarded-host": "app.test" },
  });
  assert.equal(spoofed.status, 400);
});

test("cookies of an ingress with a path are bound to that path", async (t) => {
  const { signedIn } = await stage(t, { ingress: "https://app.test/base" });
  assert.deepEqual((await signedIn()).cookieNames(), ["__Secure-io.nais.wonderwall.session"]);
});

const hopByHop = [
  {
    name: "headers that Connection names are removed",
    connection: "close, X-Secret",
    header: "X-Secret",
    arrives: false,
  },
  { name: "Keep-Alive is removed", connection: "keep-alive", header: "Keep-Alive", arrives: false },
  {
    name: "Proxy-Authorization is removed",
    connection: "close",
    header: "Proxy-Authorization",
    arrives: false,
  },
  { name: "TE is removed", connection: "close", header: "TE", arrives: false },
  { name: "others pass", connection: "close", header: "X-Other", arrives: true },
];
for (const { name, connection, header, arrives } of hopByHop) {
  test(`RFC 9110 section 7.6.1: ${name}`, async (t) => {
    const { replicas, upstream } = await stage(t);
    await sendRaw(
      replicas[0]!.address,
      `GET / HTTP/1.1\r\nHost: app.test\r\nConnection: ${connection}\r\n${header}: value\r\n\r\n`,
      /application/,
    );
    assert.equal(upstream.seen[0]?.headers[header.toLowerCase()] === "value", arrives);
  });
}

test("RFC 9110 section 7.6.1: Connection cannot remove what we add", async (t) => {
  const { signedIn, replicas, upstream } = await stage(t);
  const cookie = `${sessionName}=${(await signedIn()).cookie(sessionName)}`;
  await sendRaw(
    replicas[0]!.address,
    `GET / HTTP/1.1\r\nHost: app.test\r\nCookie: ${cookie}\r\nConnection: close, Authorization, X-Forwarded-For\r\n\r\n`,
  );
  assert.match(upstream.seen.at(-1)?.headers.authorization ?? "", /^Bearer ey/);
  assert.equal(upstream.seen.at(-1)?.headers["x-forwarded-for"], "127.0.0.1");
});

const ambiguous = [
  "/public/../secret",
  "/public/%2e%2e/secret",
  "/public%2f..%2fsecret",
  "/public/..;/secret",
  "/public/%252e%252e/secret",
  "//public/x",
  "/public\\..\\secret",
  "/public/%5c..%5csecret",
  "/public/%00",
  "/public/%c0%ae%c0%ae/secret",
  "/public/%e6",
  "/public/%3f/../secret",
];
for (const path of ambiguous) {
  test(`GHSA-7x63-xv5r-3p2x: ${path} does not pass as an excluded path`, async (t) => {
    const { replicas, upstream } = await stage(t, {
      env: { ...autoLogin, PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS: "/public/**" },
    });
    const answer = await sendRaw(
      replicas[0]!.address,
      `GET ${path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n`,
      /\r\n\r\n/,
    );
    assert.equal(upstream.seen.length, 0);
    assert.match(answer, /^HTTP\/1\.1 401 [^]*\r\nlocation: \/oauth2\/login\?/i);
  });
}

test("a page whose address has escapes that no rule may decide is signed in for like any other", async (t) => {
  const { browser, ingress, upstream } = await stage(t, { env: autoLogin });
  const landed = await browser().go(`${ingress}/files/C%23%20or%20what%3F.pdf?x=%2F`);
  assert.equal(landed.status, 200);
  assert.equal(upstream.seen.at(-1)?.url, "/files/C%23%20or%20what%3F.pdf?x=%2F");
});

const csrf: { name: string; method: string; headers: Record<string, string>; status: number }[] = [
  {
    name: "the application's own page",
    method: "POST",
    headers: { "sec-fetch-site": "same-origin", origin: "https://app.test" },
    status: 200,
  },
  {
    name: "another site's page",
    method: "POST",
    headers: { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    status: 403,
  },
  {
    name: "a sibling domain's page",
    method: "DELETE",
    headers: { "sec-fetch-site": "same-site", origin: "https://other.test" },
    status: 403,
  },
  {
    name: "a listed origin",
    method: "POST",
    headers: { "sec-fetch-site": "cross-site", origin: "https://friend.example" },
    status: 200,
  },
  {
    name: "an older browser's own page",
    method: "PUT",
    headers: { origin: "https://app.test" },
    status: 200,
  },
  {
    name: "an older browser's other page",
    method: "PUT",
    headers: { origin: "https://evil.example" },
    status: 403,
  },
  { name: "an opaque origin", method: "POST", headers: { origin: "null" }, status: 403 },
  {
    name: "plain http of the same host",
    method: "POST",
    headers: { origin: "http://app.test" },
    status: 403,
  },
  { name: "neither header", method: "POST", headers: {}, status: 403 },
  {
    name: "a safe method from another site",
    method: "GET",
    headers: { "sec-fetch-site": "cross-site" },
    status: 200,
  },
  {
    name: "an unknown method from another site",
    method: "PROPFIND",
    headers: { "sec-fetch-site": "cross-site" },
    status: 403,
  },
];
for (const { name, method, headers, status } of csrf) {
  test(`cross-site rule: ${method} from ${name}: ${status}`, async (t) => {
    const { signedIn, ingress, upstream } = await stage(t, {
      env: { PORTVAKT_LOGIN_ALLOWED_ORIGINS: "https://friend.example" },
    });
    const user = await signedIn();
    upstream.seen.length = 0;
    const answer = await user.send(`${ingress}/change`, { method, headers });
    assert.equal(answer.status, status);
    assert.equal(upstream.seen.length, status === 200 ? 1 : 0);
    if (status === 403) assert.match(answer.body, /PORTVAKT_LOGIN_ALLOWED_ORIGINS/);
  });
}

test("users need 2: a background call without a session gets 401 problem+json with a Location of ours", async (t) => {
  const { browser, ingress } = await stage(t, { env: autoLogin });
  const answer = await browser().send(`${ingress}/api`, {
    headers: { ...background, referer: `${ingress}/page?x=1` },
  });
  assert.equal(answer.status, 401);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.equal(answer.headers.location, "/oauth2/login?redirect=%2Fpage%3Fx%3D1");
  const evil = await browser().send(`${ingress}/api`, {
    headers: { ...background, referer: "https://evil.example/x" },
  });
  assert.equal(evil.headers.location, "/oauth2/login?redirect=%2F");
});

test("the level is enforced on each request", async (t) => {
  const low = await stage(t, {
    env: { ...autoLogin, PORTVAKT_LOGIN_PROVIDER: "openid" },
    knobs: { acr: "idporten-loa-substantial" },
  });
  const cookie = `${sessionName}=${(await low.signedIn()).cookie(sessionName)}`;
  const high = await stage(t, {
    env: { ...autoLogin, PORTVAKT_LOGIN_ACR_VALUES: "idporten-loa-high" },
    store: low.store,
  });
  assert.equal((await high.browser().send(`${high.ingress}/`, { headers: { cookie } })).status, 401);
  assert.equal(high.upstream.seen.length, 0);
});

test("an application that does not answer: 502, a page for people and a problem for programs", async (t) => {
  const { signedIn, ingress, upstream } = await stage(t);
  const user = await signedIn();
  upstream.handler = (request) => request.socket.destroy();
  const page = await user.send(`${ingress}/`, { headers: { ...navigation, "accept-language": "en" } });
  assert.equal(page.status, 502);
  assert.match(page.body, /The service does not answer/);
  const posted = await user.send(`${ingress}/`, {
    method: "POST",
    body: "x".repeat(100_000),
    headers: { origin: ingress },
  });
  assert.equal(posted.status, 502);
  assert.equal(posted.headers["content-type"], "application/problem+json");
});

test("bodies stream both ways, with trailers, HEAD, 204 and 304 as they are", async (t) => {
  const { replicas, upstream } = await stage(t);
  const address = replicas[0]!.address;
  upstream.handler = (request, response) => {
    if (request.url === "/raw/204") {
      response.writeHead(204).end();
      return;
    }
    if (request.url === "/raw/304") {
      response.writeHead(304, { etag: '"1"' }).end();
      return;
    }
    response.writeHead(200, { "transfer-encoding": "chunked", trailer: "x-sum" });
    request.on("data", (chunk) => response.write(chunk));
    request.on("end", () => {
      response.addTrailers({ "x-sum": "42" });
      response.end();
    });
  };
  const chunked =
    "POST /raw/echo HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
  const echoed = await sendRaw(address, chunked);
  assert.match(echoed, /abc[^]*def[^]*x-sum: 42/);
  assert.match(
    await sendRaw(address, "GET /raw/204 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"),
    /^HTTP\/1\.1 204 /,
  );
  assert.match(
    await sendRaw(address, "GET /raw/304 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"),
    /^HTTP\/1\.1 304 [^]*etag: "1"/,
  );
  assert.match(
    await sendRaw(
      address,
      "POST /raw/echo HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
    ),
    /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /,
  );
});

const requestTrailers = [
  { name: "one of its own passes", line: "X-Sum: 42", arrives: true },
  { name: "a signature passes", line: "Signature: a=:b:", arrives: true },
  { name: "a coding is not added", line: "Content-Encoding: gzip", arrives: false },
  { name: "routing is not changed", line: "Host: other.test", arrives: false },
  { name: "no credentials come behind the gate", line: "Authorization: Bearer a", arrives: false },
  { name: "no cookie comes behind the gate", line: "Cookie: a=b", arrives: false },
  { name: "no identity", line: "X_Wonderwall_Id_Token: a", arrives: false },
  { name: "no address", line: "X-Forwarded-For: 10.0.0.1", arrives: false },
];
for (const { name, line, arrives } of requestTrailers) {
  test(`RFC 9110 section 6.5.1, trailers of a request: ${name}`, async (t) => {
    const { replicas, upstream } = await stage(t);
    upstream.handler = (request, response) => {
      request.resume().on("end", () => response.end(`trailers ${JSON.stringify(request.rawTrailers)}`));
    };
    const echoed = await sendRaw(
      replicas[0]!.address,
      `POST /raw HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n${line}\r\n\r\n`,
    );
    const [field = "", value = ""] = line.split(": ");
    const expected = `trailers ${JSON.stringify(arrives ? [field, value] : [])}`;
    assert.ok(echoed.includes(expected), echoed);
  });
}

test("event streams arrive event by event, headers first", async (t) => {
  const { replicas, upstream } = await stage(t);
  let stream: http.ServerResponse | undefined;
  upstream.handler = (_request, response) => {
    stream = response;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
  };
  const [host, port] = replicas[0]!.address.split(":");
  const outgoing = http.get({ host, port, path: "/raw/events", headers: { host: "app.test" }, agent: false });
  const [incoming] = (await once(outgoing, "response")) as [http.IncomingMessage];
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    stream?.write(event);
    const [chunk] = (await once(incoming, "data")) as [Buffer];
    assert.equal(chunk.toString(), event);
  }
  const gone = once(stream!, "close");
  outgoing.destroy();
  await gone;
});

test("a client that goes away aborts the request to the application", async (t) => {
  const { replicas, upstream } = await stage(t);
  const arrived = Promise.withResolvers<http.ServerResponse>();
  upstream.handler = (_request, response) => arrived.resolve(response);
  const [host, port] = replicas[0]!.address.split(":");
  const outgoing = http.get({ host, port, path: "/raw/slow", headers: { host: "app.test" }, agent: false });
  outgoing.on("error", () => undefined);
  const response = await arrived.promise;
  const closed = once(response, "close");
  outgoing.destroy();
  await closed;
});

test("logs hold no token, cookie or code", async (t) => {
  const { signedIn, ingress, logs, upstream } = await stage(t, {
    env: { ...autoLogin, WONDERWALL_UPSTREAM_ACCESS_LOGS: "true" },
  });
  const user = await signedIn();
  await user.send(`${ingress}/?code=secret-code`);
  const all = logs.join("");
  assert.ok(all.includes("signed in") && all.includes("passed on"));
  for (const secret of [
    user.cookie(sessionName)!,
    upstream.seen[0]!.headers.authorization!.slice(7),
    "secret-code",
    "s3cret",
  ])
    assert.ok(!all.includes(secret));
});

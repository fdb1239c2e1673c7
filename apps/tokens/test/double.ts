// A provider double for these tests alone: jose and node:http, nothing of ours, so that both ends cannot share a mistake.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  EmbeddedJWK,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type JWK,
  type JWTPayload,
} from "jose";

/** How the next request, or every request, is mistreated. */
export type Trouble =
  | "hang"
  | "reset"
  | "html"
  | "huge"
  | "redirect"
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | { readonly delayMs: number }
  | { readonly after: Promise<unknown> };

export interface Received {
  readonly form: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** The verified claims of `client_assertion`, or of `assertion` when that is what authenticates. */
  readonly assertion: JWTPayload | undefined;
}

export interface Double {
  readonly origin: string;
  readonly issuer: string;
  readonly wellKnown: string;
  readonly received: Received[];
  keyFetches: number;
  metadataFetches: number;
  introspections: number;
  /** The most connections that were open at once. */
  mostConnections: number;
  /** Troubles of the token endpoint: taken one by one; `always` is for every request. */
  readonly tokenTroubles: Trouble[];
  always: Trouble | undefined;
  keysTrouble: Trouble | undefined;
  metadataTrouble: Trouble | undefined;
  expiresIn: number | undefined;
  /** A nonce that DPoP proofs must have (RFC 9449 section 8). */
  dpopNonce: string | undefined;
  /** What the introspection endpoint answers. */
  introspection: unknown;
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
  /** Replaces the signing key; the key set then has only the new one. */
  rotate(): Promise<void>;
  readonly publicJwk: JWK;
  close(): Promise<void>;
}

export interface DoubleOptions {
  /** Path of the issuer, such as `/tenant/v2.0` or `/`. */
  readonly path?: string;
  readonly now: () => number;
  /** Public keys that client assertions are verified with. */
  readonly clientKeys: readonly JWK[];
}

export async function startDouble(options: DoubleOptions): Promise<Double> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = origin + (options.path ?? "");
  const clientKeys = createLocalJWKSet({ keys: [...options.clientKeys] });
  let pair = await generateKeyPair("RS256", { extractable: true });
  let kid = "key-1";
  let publicJwk: JWK = { ...(await exportJWK(pair.publicKey)), kid, use: "sig", alg: "RS256" };
  const seenJti = new Set<string>();

  const double: Double = {
    origin,
    issuer,
    wellKnown: `${origin}/well-known`,
    received: [],
    keyFetches: 0,
    metadataFetches: 0,
    introspections: 0,
    mostConnections: 0,
    tokenTroubles: [],
    always: undefined,
    keysTrouble: undefined,
    metadataTrouble: undefined,
    expiresIn: 3600,
    dpopNonce: undefined,
    introspection: { active: false },
    get publicJwk() {
      return publicJwk;
    },
    sign: (claims, header) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT", ...header })
        .sign(pair.privateKey),
    async rotate() {
      pair = await generateKeyPair("RS256", { extractable: true });
      kid = `key-${Number(kid.slice(4)) + 1}`;
      publicJwk = { ...(await exportJWK(pair.publicKey)), kid, use: "sig", alg: "RS256" };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  const token = async (
    form: URLSearchParams,
    headers: IncomingMessage["headers"],
  ): Promise<[number, unknown]> => {
    const obo = form.has("requested_token_use");
    const proof = form.get("client_assertion") ?? (obo ? null : form.get("assertion"));
    let assertion: JWTPayload | undefined;
    if (proof !== null) {
      const at = new Date(options.now() * 1000);
      assertion = (await jwtVerify(proof, clientKeys, { audience: issuer, currentDate: at })).payload;
      const jti = assertion.jti ?? "";
      const again = jti === "" || seenJti.has(jti);
      seenJti.add(jti);
      double.received.push({ form, headers, assertion });
      if (again)
        return [400, { error: "invalid_grant", error_description: "MP-012: the grant was used before" }];
    } else double.received.push({ form, headers, assertion });
    const dpop = headers["dpop"];
    let binding: JWTPayload = {};
    if (typeof dpop === "string") {
      const at = new Date(options.now() * 1000);
      const { payload, protectedHeader } = await jwtVerify(dpop, EmbeddedJWK, {
        typ: "dpop+jwt",
        currentDate: at,
      });
      if (payload["htm"] !== "POST" || payload["htu"] !== `${origin}/token`)
        throw new Error("another request's proof");
      if (payload["nonce"] !== double.dpopNonce)
        return [400, { error: "use_dpop_nonce", error_description: "a nonce is needed" }];
      binding = { cnf: { jkt: await calculateJwkThumbprint(protectedHeader.jwk!) } };
    }
    const claims = { iss: issuer, n: double.received.length, ...binding };
    const expires = double.expiresIn === undefined ? {} : { expires_in: double.expiresIn };
    return [
      200,
      {
        access_token: await double.sign(claims),
        token_type: "cnf" in binding ? "DPoP" : "Bearer",
        ...expires,
      },
    ];
  };

  const routes: Record<string, (request: IncomingMessage, body: string) => Promise<[number, unknown]>> = {
    "/well-known": async () => {
      double.metadataFetches += 1;
      return [
        200,
        {
          issuer,
          jwks_uri: `${origin}/jwks`,
          token_endpoint: `${origin}/token`,
          introspection_endpoint: `${origin}/introspect`,
        },
      ];
    },
    "/jwks": async () => {
      double.keyFetches += 1;
      return [200, { keys: [publicJwk] }];
    },
    "/token": (request, body) => token(new URLSearchParams(body), request.headers),
    "/introspect": async () => {
      double.introspections += 1;
      return [200, double.introspection];
    },
  };
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    double.mostConnections = Math.max(double.mostConnections, connections);
    socket.once("close", () => (connections -= 1));
  });
  server.on("request", (request, response) => {
    void handle(request, response).catch(() =>
      write(response, 400, {
        error: "invalid_client",
        error_description: "the double could not verify the assertion",
      }),
    );
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const path = request.url ?? "";
    const [status, answer] = await (routes[path] ?? (async () => [404, {}] as [number, unknown]))(
      request,
      body,
    );
    const trouble =
      path === "/token"
        ? (double.tokenTroubles.shift() ?? double.always)
        : path === "/jwks"
          ? double.keysTrouble
          : path === "/well-known"
            ? double.metadataTrouble
            : double.always;
    if (trouble === undefined) {
      const nonce: Record<string, string> =
        double.dpopNonce === undefined ? {} : { "dpop-nonce": double.dpopNonce };
      return write(response, status, answer, nonce);
    }
    mistreat(trouble, request, response, () => write(response, status, answer));
  };
  return double;
}

function mistreat(
  trouble: Trouble,
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => void,
): void {
  if (trouble === "hang") return;
  if (trouble === "reset") {
    request.socket.resetAndDestroy();
    return;
  }
  if (trouble === "html") {
    response
      .writeHead(200, { "content-type": "text/html" })
      .end("<html><title>Sign in to the network</title></html>");
    return;
  }
  if (trouble === "redirect") {
    response.writeHead(302, { location: "/jwks-elsewhere" }).end();
    return;
  }
  if (trouble === "huge") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`{"keys":[{"kty":"RSA","n":"${"A".repeat(5_000_000)}","e":"AQAB"}]}`);
    return;
  }
  if ("delayMs" in trouble) {
    setTimeout(answer, trouble.delayMs);
    return;
  }
  if ("after" in trouble) {
    void trouble.after.then(answer);
    return;
  }
  write(response, trouble.status, trouble.body ?? { error: "server_error" }, trouble.headers);
}

function write(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

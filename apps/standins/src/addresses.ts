import type { Parts } from "./standin.ts";

// A container reaches a stand-in by another name than the browser does. The issuer stays one; only the endpoints that
// clients call themselves are given under the name by which the client came, and only for names that were configured.

/** Metadata members whose endpoints a client calls itself; the others are opened in a browser. */
const calledByClients: ReadonlySet<string> = new Set([
  "token_endpoint",
  "jwks_uri",
  "pushed_authorization_request_endpoint",
  "userinfo_endpoint",
  "introspection_endpoint",
  "revocation_endpoint",
]);

/** The base under the name by which this request came; undefined unless that name is one of the configured. */
export function backBase(parts: Pick<Parts, "base" | "backHosts">, requestUrl: string): string | undefined {
  const { host, hostname } = new URL(requestUrl);
  if (!parts.backHosts.has(hostname)) return undefined;
  return `http://${host}${new URL(parts.base).pathname.replace(/\/$/, "")}`;
}

/** Serves metadata, cacheable for five minutes, as the client that asks can use it. */
export function metadataFor(
  parts: Pick<Parts, "base" | "backHosts">,
  request: Request,
  metadata: Record<string, unknown>,
): Response {
  const back = backBase(parts, request.url);
  const seen =
    back === undefined
      ? metadata
      : Object.fromEntries(
          Object.entries(metadata).map(([name, value]) => [
            name,
            calledByClients.has(name) && typeof value === "string" ? value.replace(parts.base, back) : value,
          ]),
        );
  return Response.json(seen, { headers: { "cache-control": "public, max-age=300", vary: "host" } });
}

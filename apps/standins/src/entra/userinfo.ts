import { verifyJwt } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import type { Expiring } from "../expiring.ts";
import type { Person } from "../signin/logins.ts";
import { textOf, type Parts } from "../standin.ts";
import { graphResource, issuerOf, pairwiseSubject } from "./claims.ts";
import type { Directory } from "./directory.ts";

/**
 * Microsoft Graph's OpenID userinfo, the one part of Graph that clients find in the metadata: for access tokens that are for
 * Graph and nobody else. `sub` is the ID token's.
 */
export async function entraUserinfo(
  parts: Parts,
  directory: Directory,
  people: Expiring<Person>,
  { request }: Visit,
): Promise<Response> {
  const token = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const result = await verifyJwt(
    token,
    {
      issuer: ({ tid }) => {
        const tenant = directory.tenant(textOf(tid));
        return tenant === undefined ? undefined : issuerOf(parts.base, tenant);
      },
      audience: graphResource,
      keys: parts.signing.keySet,
      algorithms: ["RS256"],
      required: ["iss", "aud", "exp", "iat", "scp"],
      toleranceSeconds: 0,
    },
    parts.now,
  );
  const person = result.ok ? people.get(textOf(result.token.claims["oid"])) : undefined;
  if (!result.ok || person === undefined) return refused();
  const name = textOf(person.claims["name"]);
  const [given = "", ...family] = name.split(" ");
  return Response.json(
    {
      sub: pairwiseSubject(person, textOf(result.token.claims["azp"])),
      name,
      given_name: given,
      ...(family.length === 0 ? {} : { family_name: family.join(" ") }),
    },
    { headers: { "cache-control": "no-store" } },
  );
}

/** In Graph's words. */
function refused(): Response {
  return Response.json(
    { error: { code: "InvalidAuthenticationToken", message: "Access token validation failure." } },
    {
      status: 401,
      headers: { "cache-control": "no-store", "www-authenticate": 'Bearer error="invalid_token"' },
    },
  );
}

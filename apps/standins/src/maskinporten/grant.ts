import { randomUUID } from "node:crypto";
import { z } from "zod";
import { grantTypes, type JwtClaims } from "@portvakt/oauth";
import type { Grant } from "@portvakt/issuer";
import type { MaskinportenScope, Registrations } from "../registrations.ts";
import type { Parts } from "../standin.ts";
import type { MaskinportenCaller } from "./assertion.ts";
import { maskinportenError } from "./errors.ts";

/** The JWT authorization grant (RFC 7523 section 2.1); what it asks for stands in the grant, not in the form. */
export function jwtGrant(parts: Parts, issuer: string): Grant<MaskinportenCaller> {
  return {
    grantType: grantTypes.jwtBearer,
    required: ["assertion"],
    optional: [],
    async authorize({ request, client }) {
      const consumer = consumerOf(client);
      const scopes = scopesOf(client, consumer, inForce(parts));
      const audience = audienceOf(client.grant, scopes);
      const details = authorizationDetails(client.grant["authorization_details"]);
      const lifetime = Math.min(...scopes.map((scope) => scope.at_max_age));
      return {
        async issue() {
          const claims = {
            ...maskinportenClaims({
              issuer,
              now: parts.now(),
              clientId: client.id,
              method: client.method,
              consumer: consumer.orgno,
              lifetime,
              scope: scopes.map((scope) => scope.name),
            }),
            ...(consumer.by === "itself" ? {} : { supplier: organisation(client.registration.orgno) }),
            ...(consumer.by === "delegation" ? { delegation_source: delegationSource(scopes) } : {}),
            ...(audience === undefined ? {} : { aud: audience }),
            ...(typeof client.grant["pid"] === "string" ? { pid: client.grant["pid"] } : {}),
            ...(details === undefined ? {} : { authorization_details: details }),
          };
          const occasion = {
            provider: "maskinporten",
            token: "access_token",
            clientId: client.id,
            test: request.headers.get("x-standin-test") ?? undefined,
          } as const;
          return {
            access_token: await parts.signing.sign(claims, occasion),
            token_type: "Bearer",
            expires_in: lifetime,
            scope: scopes.map((one) => one.name).join(" "),
          };
        },
      };
    },
  };
}

export interface ClaimsFor {
  readonly issuer: string;
  readonly now: number;
  readonly clientId: string;
  readonly method: string;
  /** The organisation number that the token is about. */
  readonly consumer: string;
  readonly scope: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
}

/** The claims of every token: no `sub`, and `aud` only when the client asked for one. */
export function maskinportenClaims(about: ClaimsFor): JwtClaims {
  const now = Math.floor(about.now);
  return {
    iss: about.issuer,
    client_id: about.clientId,
    client_amr: about.method,
    consumer: organisation(about.consumer),
    scope: about.scope.join(" "),
    token_type: "Bearer",
    iat: now,
    exp: now + about.lifetime,
    jti: randomUUID(),
  };
}

function organisation(orgno: string): { authority: string; ID: string } {
  return { authority: "iso6523-actorid-upis", ID: `0192:${orgno}` };
}

/** Whom the token is about. */
interface Consumer {
  readonly orgno: string;
  /** `delegation`: in Altinn, judged scope by scope; `registration`: the client's registration names it. */
  readonly by: "itself" | "delegation" | "registration";
}

/** The client's own organisation, one that delegated to it (consumer_org), or one that its registration names (iss_onbehalfof). */
function consumerOf({ grant, registration }: MaskinportenCaller): Consumer {
  const asked = grant["consumer_org"];
  const behalf = grant["iss_onbehalfof"];
  if (asked !== undefined && behalf !== undefined)
    throw maskinportenError("MP-011", "consumer_org and iss_onbehalfof cannot stand together");
  if (behalf !== undefined) {
    const named = registration.onbehalfof.find(({ id }) => id === behalf);
    if (named === undefined)
      throw maskinportenError("MP-011", "iss_onbehalfof is not registered on the client");
    return { orgno: named.orgno, by: "registration" };
  }
  if (asked === undefined) return { orgno: registration.orgno, by: "itself" };
  if (typeof asked !== "string" || !/^\d{9}$/.test(asked)) throw maskinportenError("MP-011", "consumer_org");
  return { orgno: asked, by: asked === registration.orgno ? "itself" : "delegation" };
}

/** What the owners of scopes have decided, as far as it has reached the servers. */
function inForce({ registry, now }: Parts): Registrations["maskinporten"] {
  const { maskinporten } = registry.current();
  const { scope_change_delay_seconds: delay } = maskinporten;
  return delay === 0
    ? maskinporten
    : { ...maskinporten, scopes: registry.asOf(now() - delay).maskinporten.scopes };
}

/** Every scope of the grant: on the client (MP-200), open to the consumer (MP-250), delegated if need be (MP-251). */
function scopesOf(
  { grant, registration }: MaskinportenCaller,
  consumer: Consumer,
  maskinporten: Registrations["maskinporten"],
): [MaskinportenScope, ...MaskinportenScope[]] {
  const names =
    typeof grant["scope"] === "string" ? grant["scope"].split(" ").filter((name) => name !== "") : [];
  const scopes = names.map((name) => {
    if (!registration.scopes.includes(name)) throw maskinportenError("MP-200", name.slice(0, 100));
    const scope = maskinporten.scopes.find((one) => one.name === name);
    if (scope === undefined) throw maskinportenError("MP-200", name.slice(0, 100));
    if (!scope.accessible_for_all && !scope.consumers.includes(consumer.orgno))
      throw maskinportenError("MP-250", `${consumer.orgno}, ${name}`);
    const delegated = maskinporten.delegations.some(
      (one) => one.consumer === consumer.orgno && one.supplier === registration.orgno && one.scope === name,
    );
    if (consumer.by === "delegation" && !delegated) throw maskinportenError("MP-251", name);
    return scope;
  });
  const [first, ...rest] = scopes;
  if (first === undefined) throw maskinportenError("MP-011", "scope is missing");
  return [first, ...rest];
}

/** `resource` of the grant becomes `aud`; a scope may demand one of its own audiences. */
function audienceOf(grant: JwtClaims, scopes: readonly MaskinportenScope[]): string | string[] | undefined {
  const { resource } = grant;
  const asked = resource === undefined ? [] : Array.isArray(resource) ? resource : [resource];
  const texts = asked.filter((one): one is string => typeof one === "string" && one !== "");
  if (texts.length !== asked.length) throw maskinportenError("MP-011", "resource");
  for (const { allowed_audiences: allowed, name } of scopes) {
    if (allowed === undefined) continue;
    if (texts.length === 0 || texts.some((one) => !allowed.includes(one)))
      throw maskinportenError("MP-011", `resource is not an audience of ${name}`);
  }
  return texts.length > 1 ? texts : texts[0];
}

function delegationSource(scopes: readonly MaskinportenScope[]): string {
  return (
    scopes.find((scope) => scope.delegation_source !== undefined)?.delegation_source ??
    "https://www.altinn.no"
  );
}

const systemUser = z.strictObject({
  type: z.literal("urn:altinn:systemuser"),
  systemuser_org: z.strictObject({
    authority: z.literal("iso6523-actorid-upis"),
    ID: z.string().regex(/^0192:\d{9}$/),
  }),
});

/** RFC 9396, for system users of Altinn: one party; the token adds the ids of the system user and its system. */
function authorizationDetails(value: unknown): unknown[] | undefined {
  if (value === undefined) return undefined;
  const [only, ...others] = Array.isArray(value) ? (value as unknown[]) : [];
  const type = typeof only === "object" && only !== null && "type" in only ? only.type : undefined;
  if (others.length > 0 || only === undefined)
    throw maskinportenError("MP-303", "one party for each request");
  if (type !== "urn:altinn:systemuser") throw maskinportenError("MP-301");
  const parsed = systemUser.safeParse(only);
  if (parsed.success)
    return [
      {
        ...parsed.data,
        systemuser_id: ["a8f2f8e6-1d2b-8c0a-9f4e-0c1d2e3f4a5b"],
        system_id: "synthetic_system",
      },
    ];
  const unknown = parsed.error.issues.some((issue) => issue.code === "unrecognized_keys");
  throw maskinportenError(unknown ? "MP-302" : "MP-303");
}

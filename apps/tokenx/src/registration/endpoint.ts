import { readBounded } from "@portvakt/issuer";
import { grantTypes, ProtocolError, publicJwkOf, signatureAlgorithms } from "@portvakt/oauth";
import type { JWK } from "@portvakt/oauth";
import { parseApplicationId } from "@portvakt/policy";
import { z } from "zod";
import type { Registration } from "../registry/registration.ts";
import type { Registry } from "../registry/registry.ts";
import type { JudgeRegistrar, Registrar } from "./registrars.ts";
import type { JudgedStatement } from "./statement.ts";

export interface RegistrationOptions {
  readonly registry: Registry;
  readonly judgeRegistrar: JudgeRegistrar;
  readonly judgeStatement: (raw: string) => Promise<JudgedStatement>;
  /** Is told of every change, for the audit log. */
  readonly onChange: (change: "registered" | "deleted", clientId: string, registrar: string) => void;
}

export interface RegistrationEndpoint {
  create(request: Request): Promise<Response>;
  list(request: Request): Promise<Response>;
  read(request: Request, id: string): Promise<Response>;
  remove(request: Request, id: string): Promise<Response>;
}

const maxBytes = 1_000_000;
const maxKeys = 50;
const bodySchema = z.object({
  client_name: z.string().max(255).optional(),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
  software_statement: z.string().min(1),
  dpop_bound_access_tokens: z.boolean().optional(),
});

/**
 * Dynamic client registration (RFC 7591) by trusted registrars. What a registrar may not register, it may not read, list or
 * delete either; a reader may read only. Registering again replaces; of two statements the later `iat` stands, whatever order they come in; a deletion is as late as its bearer token's `iat`.
 */
export function registrationEndpoint(options: RegistrationOptions): RegistrationEndpoint {
  const { registry } = options;
  const registrarOf = (request: Request): Promise<Registrar> =>
    options.judgeRegistrar(request.headers.get("authorization") ?? undefined);

  return {
    create: async (request) => {
      const registrar = await registrarOf(request);
      const body = await readMetadata(request);
      const { statement, take } = await options.judgeStatement(body.software_statement);
      // RFC 7591 section 3.2.2; the baseline answers 401 invalid_client here, and so do we.
      if (!registrar.mayWrite(statement.appId))
        throw new ProtocolError(
          "invalid_client",
          "this registrar may not register applications of that cluster",
        );
      const { appId, dpopBound = body.dpop_bound_access_tokens, ...stated } = statement;
      const registration: Registration = {
        clientId: appId,
        ...(body.client_name !== undefined && { clientName: body.client_name }),
        jwks: { keys: body.jwks.keys.map(judgeKey) },
        softwareStatement: body.software_statement,
        ...(dpopBound === true && { dpopBound }),
        ...stated,
      };
      // The same request once more, whose answer was lost: nothing is to be done, nor used up.
      if (JSON.stringify(registry.get(appId)?.registration) === JSON.stringify(registration))
        return answer(toWire(registration), 201);
      await take();
      if (!(await registry.put(registration)))
        throw new ProtocolError(
          "invalid_software_statement",
          "a later software statement was registered already",
        );
      options.onChange("registered", appId, registrar.name);
      return answer(toWire(registration), 201);
    },
    list: async (request) => {
      const registrar = await registrarOf(request);
      const mine = [...registry.all()].filter(({ id }) => registrar.mayRead(id));
      return answer(mine.map(({ registration }) => toWire(registration)));
    },
    read: async (request, id) => {
      const registrar = await registrarOf(request);
      const found = registrar.mayRead(id) ? registry.get(id) : undefined;
      if (found === undefined)
        return answer({ error: "not_found", error_description: "client not found" }, 404);
      return answer(toWire(found.registration));
    },
    remove: async (request, id) => {
      const registrar = await registrarOf(request);
      if (registrar.mayWrite(id) && parseApplicationId(id) !== undefined) {
        await registry.remove(id, registrar.askedAt);
        options.onChange("deleted", id, registrar.name);
      }
      return new Response(null, { status: 204 });
    },
  };
}

async function readMetadata(request: Request): Promise<z.infer<typeof bodySchema>> {
  let body: unknown;
  try {
    body = JSON.parse(await readBounded(request, maxBytes));
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError("invalid_client_metadata", "the body is not JSON");
  }
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ProtocolError(
      "invalid_client_metadata",
      `${issue?.path.join(".") ?? "the body"}: ${issue?.message ?? "is malformed"}`,
    );
  }
  const { keys } = parsed.data.jwks;
  if (keys.length === 0) throw new ProtocolError("invalid_client_metadata", "empty JWKS not allowed");
  if (keys.length > maxKeys) throw new ProtocolError("invalid_client_metadata", `more than ${maxKeys} keys`);
  if (new Set(keys.map((key) => key["kid"])).size < keys.length)
    throw new ProtocolError("invalid_client_metadata", "the keys of a JWKS need different kid values");
  return parsed.data;
}

const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const curves: ReadonlySet<unknown> = new Set(Object.values(signatureAlgorithms).map(({ crv }) => crv));
/** 2048 bits in base64url. */
const minModulusLength = 342;

/** A registered key is public, asymmetric, long enough, and named. */
function judgeKey(jwk: Record<string, unknown>): JWK {
  const { kty, kid, n, crv } = jwk;
  if (typeof kty !== "string") throw new ProtocolError("invalid_client_metadata", "a key has no kty");
  if (privateMembers.some((member) => jwk[member] !== undefined))
    throw new ProtocolError("invalid_client_metadata", "a JWKS must hold public keys only");
  if (typeof kid !== "string" || kid === "")
    throw new ProtocolError("invalid_client_metadata", "a key has no kid");
  const isRsa = kty === "RSA" && typeof n === "string" && n.length >= minModulusLength;
  const isCurve = (kty === "EC" || kty === "OKP") && crv !== undefined && curves.has(crv);
  if (!isRsa && !isCurve)
    throw new ProtocolError(
      "invalid_client_metadata",
      "keys must be RSA of 2048 bits or more, or of a curve for signatures",
    );
  return publicJwkOf({ ...jwk, kty });
}

/** A registration as its registrar reads it (RFC 7591 section 3.2.1). */
function toWire(registration: Registration): Record<string, unknown> {
  return {
    client_id: registration.clientId,
    ...(registration.clientName !== undefined && { client_name: registration.clientName }),
    client_id_issued_at: Math.floor(registration.statedAt),
    jwks: registration.jwks,
    software_statement: registration.softwareStatement,
    grant_types: [grantTypes.tokenExchange],
    token_endpoint_auth_method: "private_key_jwt",
    ...(registration.dpopBound === true && { dpop_bound_access_tokens: true }),
  };
}

function answer(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}

import { z } from "zod";
import { exchangeRequest, introspectRequest, proofRequest, tokenRequest } from "../schemas.ts";

/** What each endpoint is called in the document; the schemas are the ones that check the requests. */
const endpoints = {
  "/api/v1/token": {
    summary: "A token for the application itself",
    description:
      "Entra ID: client credentials. Maskinporten: JWT grant. Equal requests share one token until it is near its end.",
    request: tokenRequest,
    answer: "TokenResponse",
  },
  "/api/v1/token/exchange": {
    summary: "A token for the next application, on behalf of a user",
    description: "Entra ID: on-behalf-of. TokenX: RFC 8693 token exchange.",
    request: exchangeRequest,
    answer: "TokenResponse",
  },
  "/api/v1/introspect": {
    summary: "Whether a token is valid here",
    description:
      "Always 200 about a token. `active: false` comes with the reason; what an API allows is for the API to decide, or to put into `require`.",
    request: introspectRequest,
    answer: "IntrospectResponse",
  },
  "/api/v1/dpop-proof": {
    summary: "The proof for a request with a token that is bound to a key",
    description:
      "RFC 9449. Send it as the `DPoP` header, beside `Authorization: DPoP` and the token; each proof works once.",
    request: proofRequest,
    answer: "ProofResponse",
  },
} as const;

const answers = {
  TokenResponse: z.object({
    access_token: z.string(),
    expires_in: z.int().min(0).describe("Seconds left, also for a token that was held."),
    token_type: z.enum(["Bearer", "DPoP"]),
    scope: z.string().optional(),
    issued_token_type: z.string().optional(),
  }),
  IntrospectResponse: z.union([
    z.looseObject({ active: z.literal(true) }).describe("The token's claims."),
    z.object({ active: z.literal(false), error: z.string().describe("Why, for a person to read.") }),
  ]),
  ProofResponse: z.object({ proof: z.string() }),
  ErrorResponse: z.looseObject({
    error: z.string().describe("The provider's own code, or one of RFC 6749 section 5.2."),
    error_description: z.string(),
    error_uri: z.string().optional(),
    hint: z.string().optional().describe("The cause, and what to change."),
    hint_code: z.string().optional().describe("The provider's code that the hint translates."),
    owner: z
      .enum(["application", "target", "user", "platform", "provider"])
      .optional()
      .describe("Whose move it is."),
  }),
} as const;

const jsonSchema = (schema: z.ZodType, io: "input" | "output"): unknown => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
};

/** The OpenAPI 3.1 description of the endpoints that are served, made of the schemas that check their requests. */
export function openApiDocument(version: string, served: (path: string) => boolean): Record<string, unknown> {
  const reference = (name: string) => ({
    "application/json": { schema: { $ref: `#/components/schemas/${name}` } },
  });
  const failures = Object.entries({
    400: "The request makes no sense, or the provider refused it.",
    413: "The request is too large.",
    500: "The request could not be served.",
    503: "The provider is not answering; the same request may work in a moment.",
  }).map(([status, description]) => [status, { description, content: reference("ErrorResponse") }]);
  const paths = Object.entries(endpoints)
    .filter(([path]) => served(path))
    .map(([path, { summary, description, request, answer }]) => {
      const schema = jsonSchema(request, "input");
      const content = { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } };
      const responses = {
        200: { description: summary, content: reference(answer) },
        ...Object.fromEntries(failures),
      };
      return [path, { post: { summary, description, requestBody: { required: true, content }, responses } }];
    });
  const schemas = Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema, "output")]);
  return {
    openapi: "3.1.0",
    info: { title: "Portvakt token API", version, license: { name: "MIT", identifier: "MIT" } },
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(schemas) },
  };
}

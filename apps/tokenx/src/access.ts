import { readBounded } from "@portvakt/issuer";
import { grantTypes, ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import { decide } from "@portvakt/policy";
import type { Decision, Policy } from "@portvakt/policy";
import { z } from "zod";
import type { AuditRecord } from "./registry/decision-store.ts";
import type { JudgeRegistrar, Registrar } from "./registration/registrars.ts";

export interface AccessOptions {
  readonly policy: Policy;
  readonly judgeRegistrar: JudgeRegistrar;
  readonly findDecision: (id: string) => Promise<AuditRecord | undefined>;
  /** The newest first. */
  readonly recentDecisions: () => Promise<readonly AuditRecord[]>;
  readonly now: Clock;
}

export interface AccessEndpoints {
  evaluate(request: Request): Promise<Response>;
  evaluateMany(request: Request): Promise<Response>;
  explain(request: Request, id: string): Promise<Response>;
  recent(request: Request): Promise<Response>;
}

const maxBytes = 262_144;
const maxEvaluations = 200;
const maxRecent = 200;
/** When the answering of several questions ends (section 7.1.2.1). */
const semantics = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"] as const;
const entity = z.object({ type: z.string().max(255), id: z.string().max(255) });
const action = z.object({ name: z.string().max(255) });
const evaluationSchema = z.object({ subject: entity, action, resource: entity });
const evaluationsSchema = z.object({
  subject: entity.optional(),
  action: action.optional(),
  resource: entity.optional(),
  evaluations: z
    .array(z.object({ subject: entity.optional(), action: action.optional(), resource: entity.optional() }))
    .max(maxEvaluations)
    .default([]),
  options: z.object({ evaluations_semantic: z.enum(semantics).default("execute_all") }).optional(),
});
type Evaluation = z.infer<typeof evaluationSchema>;

/**
 * "May A get a token for B, and if not, what would change that?" (AuthZEN Authorization API 1.0), and why a decision was made.
 * The answers say what the owner of B may know, so they are for registrars, each for its own applications: the resource's
 * registrar for a question, the target's for a decision.
 */
export function accessEndpoints(options: AccessOptions): AccessEndpoints {
  const registrarOf = (request: Request): Promise<Registrar> =>
    options.judgeRegistrar(request.headers.get("authorization") ?? undefined);

  function evaluate(
    { subject, action, resource }: Evaluation,
    registrar: Registrar,
  ): Record<string, unknown> {
    if (action.name !== tokenAction || subject.type !== applicationType || resource.type !== applicationType)
      return { decision: false, context: { reason: "unknown_question" } };
    if (!registrar.mayRead(resource.id)) return { decision: false, context: { reason: "not_yours_to_ask" } };
    const question = {
      actor: subject.id,
      target: resource.id,
      grant: grantTypes.tokenExchange,
      now: options.now(),
    };
    return toEvaluation(decide(options.policy, question));
  }

  return {
    evaluate: async (request) => {
      const registrar = await registrarOf(request);
      return answer(evaluate(await read(request, evaluationSchema), registrar), request);
    },
    evaluateMany: async (request) => {
      const registrar = await registrarOf(request);
      const { evaluations, options: wishes, ...defaults } = await read(request, evaluationsSchema);
      const questions = (evaluations.length > 0 ? evaluations : [{}]).map((one) => whole(defaults, one));
      const last = { execute_all: undefined, deny_on_first_deny: false, permit_on_first_permit: true }[
        wishes?.evaluations_semantic ?? "execute_all"
      ];
      const results: Record<string, unknown>[] = [];
      for (const question of questions) {
        const result = evaluate(question, registrar);
        results.push(result);
        if (result["decision"] === last) break;
      }
      // Section 7.1: without a list it is one question, and has one answer.
      return answer(evaluations.length > 0 ? { evaluations: results } : { ...results[0] }, request);
    },
    explain: async (request, id) => {
      const registrar = await registrarOf(request);
      const record = id.length > 64 ? undefined : await options.findDecision(id);
      const target = record?.decision?.target;
      if (record === undefined || target === undefined || !registrar.mayRead(target))
        return answer({ error: "not_found", error_description: "decision not found" }, request, 404);
      return answer({ ...record }, request);
    },
    recent: async (request) => {
      const registrar = await registrarOf(request);
      const admits = filterOf(new URL(request.url).searchParams);
      const mine = (record: AuditRecord): boolean =>
        record.target !== undefined && registrar.mayRead(record.target);
      const records = (await options.recentDecisions()).filter((record) => mine(record) && admits(record));
      return answer({ decisions: records.slice(0, maxRecent) }, request);
    },
  };
}

function whole(defaults: object, one: object): Evaluation {
  const parsed = evaluationSchema.safeParse({ ...defaults, ...one });
  if (parsed.success) return parsed.data;
  throw new ProtocolError("invalid_request", "an evaluation lacks subject, action or resource");
}

/** What the query asks for: `outcome` (allow or deny) of the decision, `application` on either side of it. */
function filterOf(query: URLSearchParams): (record: AuditRecord) => boolean {
  const outcome = query.get("outcome");
  const application = query.get("application");
  return ({ actor, target, decision }) =>
    (outcome === null || (decision?.outcome ?? "deny") === outcome) &&
    (application === null || actor === application || target === application);
}

/** What the questions are about: an application (subject) getting a token for another (resource). */
const applicationType = "application";
const tokenAction = "token";

function toEvaluation(decision: Decision): Record<string, unknown> {
  const { id, reason, explanation, rule, owner, fix, roles, scopes } = decision;
  return {
    decision: decision.outcome === "allow",
    context: { id, reason, explanation, rule, owner, fix, roles, scopes },
  };
}

async function read<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  let body: unknown;
  try {
    body = JSON.parse(await readBounded(request, maxBytes));
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError("invalid_request", "the body is not JSON");
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ProtocolError(
    "invalid_request",
    `${issue?.path.join(".") ?? "the body"}: ${issue?.message ?? "is malformed"}`,
  );
}

/** AuthZEN section 10.1.1: a request's id is handed back. */
function answer(body: Record<string, unknown>, request: Request, status = 200): Response {
  const headers = new Headers({ "cache-control": "no-store" });
  const requestId = request.headers.get("x-request-id");
  if (requestId !== null && /^[\w.-]{1,64}$/.test(requestId)) headers.set("x-request-id", requestId);
  return Response.json(body, { status, headers });
}

/** The metadata of the decision point (AuthZEN section 9.1). */
export function accessMetadata(issuer: string): Record<string, unknown> {
  return {
    policy_decision_point: issuer,
    access_evaluation_endpoint: `${issuer}/access/v1/evaluation`,
    access_evaluations_endpoint: `${issuer}/access/v1/evaluations`,
  };
}

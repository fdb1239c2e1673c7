import type { AuditEvent, PolicyAnswer } from "@portvakt/issuer";
import type { Logger, Metrics } from "@portvakt/runtime/observe";
import type { Endpoint, ProviderName } from "./faults/faults.ts";
import { metrics as table } from "./observed.ts";

/** What the stand-ins say about themselves: in the log, and as metrics. */
export interface Report {
  /** Something that no client is told of. */
  failed(message: string, cause: unknown): void;
  /** One line for each token request; a refusal with its reason, which the client may not have been told. */
  token<D extends PolicyAnswer>(provider: ProviderName, event: AuditEvent<D>): void;
  answered(provider: ProviderName, endpoint: Endpoint, status: number): void;
}

/** Makes a report to a log, and to metrics where there are any. */
export function createReport(log: Logger, metrics: Metrics | undefined): Report {
  const answers = metrics?.counter(table.answers);
  return {
    failed: (message, cause) => log.error({ err: cause }, message),
    token(provider, event) {
      const { outcome, grantType, client, question, decision, error, description } = event;
      const line = {
        provider,
        grant: grantType,
        client,
        ...(question === undefined ? {} : { actor: question.actor, target: question.target }),
        ...(decision === undefined ? {} : { decision_id: decision.id, explanation: explanationOf(decision) }),
        ...(error === undefined ? {} : { error, description }),
      };
      if (outcome === "issued") log.debug(line, "issued");
      else if (outcome === "refused") log.info(line, "refused");
      else log.error({ ...line, err: event.cause }, "failed");
    },
    answered: (provider, endpoint, status) => answers?.inc({ provider, endpoint, status }),
  };
}

function explanationOf(decision: PolicyAnswer): unknown {
  return "explanation" in decision ? decision.explanation : undefined;
}

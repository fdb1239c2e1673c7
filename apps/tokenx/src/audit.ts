import type { AuditEvent } from "@portvakt/issuer";
import type { Decision } from "@portvakt/policy";
import { correlationId, noteOnRequest } from "@portvakt/runtime/observe";
import type { Logger, Metrics } from "@portvakt/runtime/observe";
import { metrics as table } from "./observed.ts";
import type { AuditRecord, DecisionStore } from "./registry/decision-store.ts";

export interface Audit {
  readonly token: (event: AuditEvent<Decision>) => void;
  readonly registration: (change: string, clientId: string, registrar: string) => void;
  readonly issued: (clientId: string, audience: string) => void;
  readonly untied: (issuer: string) => void;
  /** The record of a decision, of those that are still held: the last 1,000 here (allowed: 20 a second), refusals for longer in the database. */
  find(decisionId: string): Promise<AuditRecord | undefined>;
  /** What was decided last, the newest first: the last 1,000 here (allowed: 20 a second), and of other replicas the refusals in the database. */
  recent(): Promise<readonly AuditRecord[]>;
}

const held = 1_000;
/** How many of those that were allowed are held of each second: a busy server's memory reaches back further, and is not all garbage. */
const allowedPerSecond = 20;

/** The decision log: a line per token request on the log, the last thousand of those that are held in memory, and counters. */
export function createAudit(options: { log: Logger; metrics: Metrics; store: DecisionStore }): Audit {
  const { log, store } = options;
  const counters = createCounters(options.metrics);
  const records: AuditRecord[] = [];
  let next = 0;
  let [second, allowed] = [0, 0];

  function hold(record: AuditRecord): void {
    if (record.outcome === "issued") {
      const now = Math.floor(record.at);
      if (now !== second) [second, allowed] = [now, 0];
      if (allowed++ >= allowedPerSecond) return;
    }
    records[next] = record;
    next = (next + 1) % held;
  }

  return {
    token: (event) => {
      const record = toRecord(event);
      noteOnRequest({ grant: event.grantType, error: event.error, decision: event.decision?.id });
      hold(record);
      store.add(record);
      counters.seconds.observe(event.seconds, { outcome: event.outcome });
      counters.requests.inc({ outcome: event.outcome, error: event.error ?? "" });
      if (event.outcome === "failed") log.error({ ...record, err: event.cause }, "exchange failed");
      else if (event.outcome === "issued") log.info(inShort(record), "exchange allowed");
      else log.info(record, "exchange refused");
    },
    registration: (change, clientId, registrar) => {
      counters.registrations.inc({ change });
      log.info({ client_id: clientId, registrar }, `client ${change}`);
    },
    issued: (clientId, audience) => counters.issued.inc({ client_id: clientId, audience }),
    untied: (issuer) => counters.untied.inc({ issuer }),
    find: async (id) => records.find(({ decision }) => decision?.id === id) ?? (await store.find(id)),
    recent: async () => {
      const here = new Set(records.map(({ decision }) => decision?.id));
      const stored = await store.recent(held).catch((err: unknown) => {
        log.warn({ err }, "decisions could not be read");
        return [];
      });
      const elsewhere = stored.filter(({ decision }) => !here.has(decision?.id));
      return [...records, ...elsewhere].toSorted((one, other) => other.at - one.at);
    },
  };
}

function toRecord(event: AuditEvent<Decision>): AuditRecord {
  return {
    at: event.at,
    outcome: event.outcome,
    actor: event.client,
    target: event.question?.target,
    error: event.error,
    description: event.description,
    decision: event.decision,
    correlation_id: correlationId(event.headers),
  };
}

/** What was allowed needs no explanation: who, whom, by which rule. A refusal is logged with all that is known of it. */
function inShort({ at, outcome, actor, target, decision, correlation_id }: AuditRecord) {
  const { id, reason, rule } = decision ?? {};
  return { at, outcome, actor, target, decision: { id, reason, rule }, correlation_id };
}

function createCounters(metrics: Metrics) {
  return {
    requests: metrics.counter(table.requests),
    seconds: metrics.histogram(table.seconds),
    issued: metrics.counter(table.issued),
    untied: metrics.counter(table.untied),
    registrations: metrics.counter(table.registrations),
  };
}

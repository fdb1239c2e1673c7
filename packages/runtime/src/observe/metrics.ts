// Prometheus metrics whose labels cannot grow without bound.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string | number>>;

type Kind = "counter" | "gauge" | "histogram";

export interface MetricOptions<K extends Kind = Kind> {
  readonly kind?: K;
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** The metrics of an app, all of them: docs/observability.md is printed from these tables. */
export type MetricTable = Readonly<Record<string, MetricOptions & { readonly kind: Kind }>>;

/** What every process counts, whatever it serves. */
export const runtimeMetrics = {
  refused: {
    kind: "counter",
    name: "portvakt_http_refused_total",
    help: "Requests that could not be read and never reached a route: malformed (400), too slow (408), headers (431) or a chunk's extensions (413) too large.",
    labels: ["status"],
  },
  tracedSpans: {
    kind: "counter",
    name: "portvakt_traced_spans_total",
    help: "Spans by what became of them: sent, or lost because the collector did not take them. Only there when traces are on.",
    labels: ["outcome"],
  },
} as const satisfies MetricTable;

export interface CounterMetric {
  inc(labels?: Labels, by?: number): void;
}
export interface HistogramMetric {
  /** `value` is in the unit that the metric's name ends with, seconds as a rule. */
  observe(value: number, labels?: Labels): void;
}
export interface GaugeMetric {
  set(value: number, labels?: Labels): void;
}

/** A name that is asked for again is the same metric: several listeners of a process count together. */
export interface Metrics {
  counter(options: MetricOptions<"counter">): CounterMetric;
  histogram(options: MetricOptions<"histogram"> & { readonly buckets?: readonly number[] }): HistogramMetric;
  gauge(options: MetricOptions<"gauge">): GaugeMetric;
  render(): Promise<string>;
  readonly contentType: string;
}

const maxValuesPerLabel = 100;
const maxValueLength = 80;
const maxSeries = 2000;
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Whether a text may be a label's value: short and plain, and no beginning of a token. */
function isPlain(value: string): boolean {
  return value.length <= maxValueLength && !value.startsWith("ey") && /^[\w.:/ *-]*$/.test(value);
}

/**
 * One metric's series by their labels. A label takes its first 100 plain values and a metric its first 2,000 series; the rest
 * is counted as "other". A series that is known costs one look-up.
 */
function seriesOf<T>(
  names: readonly string[],
  open: (labels: Record<string, string>) => T,
): (labels: Labels | undefined) => T {
  const values = new Map(names.map((name) => [name, new Set<string>()]));
  const series = new Map<string, T>();
  const keyOf = (labels: Labels | undefined): string => names.map((name) => labels?.[name] ?? "").join("\n");
  const bound = (name: string, value: string): string => {
    const seen = values.get(name);
    if (seen === undefined || seen.has(value)) return value;
    if (!isPlain(value) || seen.size >= maxValuesPerLabel) return "other";
    seen.add(value);
    return value;
  };
  return (labels) => {
    const known = series.get(keyOf(labels));
    if (known !== undefined) return known;
    const room = series.size < maxSeries;
    const bounded = Object.fromEntries(
      names.map((name) => [name, room ? bound(name, String(labels?.[name] ?? "")) : "other"]),
    );
    const key = keyOf(bounded);
    const opened = series.get(key) ?? open(bounded);
    series.set(key, opened);
    return opened;
  };
}

/** The metrics of one process. `processMetrics` adds memory, CPU and event loop (off in tests: it keeps observers running). */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });
  const common = ({ name, help, labels = [] }: MetricOptions) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  const made = new Map<string, unknown>();
  const once = <T>(name: string, make: () => T): T => {
    const there = made.get(name) as T | undefined;
    if (there !== undefined) return there;
    const metric = make();
    made.set(name, metric);
    return metric;
  };
  return {
    counter: (o) =>
      once(o.name, () => {
        const metric = new Counter(common(o));
        const series = seriesOf(o.labels ?? [], (labels) => metric.labels(labels));
        return { inc: (labels, by = 1) => series(labels).inc(by) };
      }),
    histogram: (o) =>
      once(o.name, () => {
        const metric = new Histogram({ ...common(o), buckets: [...(o.buckets ?? defaultBuckets)] });
        const series = seriesOf(o.labels ?? [], (labels) => metric.labels(labels));
        return { observe: (value, labels) => series(labels).observe(value) };
      }),
    gauge: (o) =>
      once(o.name, () => {
        const metric = new Gauge(common(o));
        const series = seriesOf(o.labels ?? [], (labels) => metric.labels(labels));
        return { set: (value, labels) => series(labels).set(value) };
      }),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

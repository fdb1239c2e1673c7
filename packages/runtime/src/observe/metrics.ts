// Prometheus metrics whose labels cannot grow without bound.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string | number>>;

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

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

export interface Metrics {
  counter(options: MetricOptions): CounterMetric;
  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): HistogramMetric;
  gauge(options: MetricOptions): GaugeMetric;
  render(): Promise<string>;
  readonly contentType: string;
}

const maxValuesPerLabel = 100;
const maxValueLength = 80;
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Lets a label take its first 100 short, plain values; the rest, and anything that could be a token, is counted as "other". */
function boundedLabels(names: readonly string[]): (labels: Labels | undefined) => Record<string, string> {
  const seen = new Map(names.map((name) => [name, new Set<string>()]));
  return (labels) => {
    const bounded: Record<string, string> = {};
    for (const [name, values] of seen) {
      const value = String(labels?.[name] ?? "");
      const known = values.has(value);
      const sane = value.length <= maxValueLength && !value.startsWith("ey") && /^[\w.:/ *-]*$/.test(value);
      if (!known && sane && values.size < maxValuesPerLabel) values.add(value);
      bounded[name] = values.has(value) ? value : "other";
    }
    return bounded;
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
  return {
    counter(o) {
      const metric = new Counter(common(o));
      const bound = boundedLabels(o.labels ?? []);
      return { inc: (labels, by = 1) => metric.inc(bound(labels), by) };
    },
    histogram(o) {
      const metric = new Histogram({ ...common(o), buckets: [...(o.buckets ?? defaultBuckets)] });
      const bound = boundedLabels(o.labels ?? []);
      return { observe: (value, labels) => metric.observe(bound(labels), value) };
    },
    gauge(o) {
      const metric = new Gauge(common(o));
      const bound = boundedLabels(o.labels ?? []);
      return { set: (value, labels) => metric.set(bound(labels), value) };
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

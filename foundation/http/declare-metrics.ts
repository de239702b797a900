/** Short form to declare a process' Prometheus metrics in its registry; all processes use it. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Metrics of one registry, a line each: name, help, and the names of its labels, which are closed sets. */
export function declareMetrics(registry: Registry) {
  const registers = [registry];
  return {
    gauge: <Label extends string = string>(name: string, help: string, ...labelNames: Label[]) =>
      new Gauge<Label>({ name, help, labelNames, registers }),
    counter: <Label extends string = string>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter<Label>({ name, help, labelNames, registers }),
    histogram: <Label extends string = string>(
      name: string,
      help: string,
      buckets: number[],
      ...labelNames: Label[]
    ) => new Histogram<Label>({ name, help, buckets, labelNames, registers }),
  };
}

/**
 * Numbers for Prometheus, in its text format 0.0.4.
 * @module
 */

/** A metric and its samples. */
export interface Metric {
  /** starling_<feature>_<noun>_<unit>. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** One sentence. */
  readonly help: string;
  /** A number, or numbers by label sets; labels come from closed sets. */
  readonly value: number | readonly (readonly [Readonly<Record<string, string>>, number])[];
}

/** The page of these metrics. */
export function metricsPage(metrics: readonly Metric[]): string {
  return metrics.map(textOf).join('');
}

function textOf({ name, type, help, value }: Metric): string {
  const samples = typeof value === 'number' ? ([[{}, value]] as const) : value;
  const lines = samples.map(([labels, sample]) => `${name}${labelsOf(labels)} ${sample}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

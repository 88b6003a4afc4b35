import type { Report } from './report.ts';

/** Of the text that `formatMetrics` makes (https://prometheus.io/docs/specs/om/open_metrics_spec/). */
export const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

type Sample = { labels?: Readonly<Record<string, string>>; value: number };
type Family = {
  name: string;
  type: 'gauge' | 'counter' | 'info';
  unit?: string;
  help: string;
  samples: Sample[];
};

/** A report in the OpenMetrics text format. */
export function formatMetrics(report: Report): string {
  return `${families(report).map(formatFamily).join('')}# EOF\n`;
}

function families(report: Report): Family[] {
  const { version, strategy, access, since, reaped, services, volume, cache } = report;
  const gauge = (name: string, help: string, value: number, unit?: string): Family => ({
    ...{ name, type: 'gauge', help, samples: [{ value }] },
    ...(unit === undefined ? {} : { unit }),
  });
  return [
    {
      ...{ name: 'init', type: 'info', help: 'What runs.' },
      samples: [{ labels: { version, strategy: strategy.name, access }, value: 1 }],
    },
    gauge('start_time_seconds', 'When the command was started.', Date.parse(since) / 1000, 'seconds'),
    {
      name: 'processes_reaped',
      type: 'counter',
      help: 'Processes whose end init took note of.',
      samples: [{ value: reaped }],
    },
    ...(volume === null
      ? []
      : [
          gauge('volume_size_bytes', 'Size of the file system of the volume.', volume.total, 'bytes'),
          gauge('volume_free_bytes', 'What of it is free.', volume.free, 'bytes'),
        ]),
    ...(volume?.inodes == null
      ? []
      : [
          gauge('volume_inodes', 'Inodes of the file system of the volume.', volume.inodes.total),
          gauge('volume_inodes_free', 'Those of them that are free.', volume.inodes.free),
        ]),
    ...(cache === null
      ? []
      : [
          gauge('cache_bytes', 'What is cached, on the disk.', cache.bytes, 'bytes'),
          gauge('cache_paths', 'Store paths that are cached.', cache.paths),
        ]),
    {
      ...{ name: 'service_up', type: 'gauge', help: 'Whether a service runs.' },
      samples: services.map(({ name, state }) => ({
        labels: { service: name },
        value: state === 'running' ? 1 : 0,
      })),
    },
    {
      ...{ name: 'service_restarts', type: 'counter', help: 'How often a service was started again.' },
      samples: services.map(({ name, restarts }) => ({ labels: { service: name }, value: restarts })),
    },
  ];
}

const suffixes = { gauge: '', counter: '_total', info: '_info' } as const;

function formatFamily({ name, type, unit, help, samples }: Family): string {
  const full = `nix_cache_init_${name}`.replace('_init_init', '_init');
  const head = [
    `# TYPE ${full} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${full} ${unit}`]),
    `# HELP ${full} ${help}`,
  ];
  const lines = samples.map(
    ({ labels = {}, value }) => `${full}${suffixes[type]}${formatLabels(labels)} ${value}`,
  );
  return samples.length === 0 ? '' : `${[...head, ...lines].join('\n')}\n`;
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

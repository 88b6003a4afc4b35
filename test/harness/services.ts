import type { ServiceSpec } from '../../src/config/services.ts';

/** A service that does what its acts say (test/fixtures/programs/service.pl). */
export const acting = (name: string, ...acts: string[]): ServiceSpec => ({
  command: 'perl',
  args: ['/programs/service.pl', name, ...acts],
});

/** The command line of a boot with services; the main command acts as well, under the name of `main`. */
export const serving = (services: Record<string, ServiceSpec>, ...acts: string[]): string[] => [
  ...['--strategy=none', `--services=${JSON.stringify(services)}`, '--'],
  ...['perl', '/programs/service.pl', 'main', ...acts],
];

/** What services and main command said, in the order in which they did; the log's own lines are JSON. */
export const said = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));

type Line = { msg: string; level: number; [field: string]: unknown };

/** The lines of the log. */
export const logged = (stderr: string): Line[] =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

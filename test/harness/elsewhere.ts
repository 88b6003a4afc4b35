import { buildLine } from './nix.ts';

/** Builds a package and publishes it, signed, in a binary cache at /elsewhere; for `readPublished`. */
export const publishElsewhere = (name: string): string => `
  mkdir -p /elsewhere; cd /elsewhere
  nix-store --generate-binary-cache-key elsewhere secret public
  path=$(${buildLine(name)})
  nix --offline copy --to 'file:///elsewhere?secret-key=/elsewhere/secret' "$path"
  cat public; echo; echo "$path"`;

/** What was published, and what a client says to have it. */
export function readPublished(stdout: string): { path: string; options: string[] } {
  const [key = '', path = ''] = stdout.trim().split('\n').slice(-2);
  const settings = { 'extra-substituters': 'file:///elsewhere', 'extra-trusted-public-keys': key };
  return { path, options: Object.entries(settings).flatMap(([name, value]) => ['--option', name, value]) };
}

import type { Log } from '../../log.ts';
import type { Step } from '../plan.ts';

/**
 * Sets variables in init's own environment, from which the main command and the services have theirs.
 * @returns what puts it back as it was.
 */
export function setVariables({ variables }: Step & { do: 'environment' }): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** For a shell: what a word would mean to it is quoted. */
const quote = (text: string): string =>
  /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** Says how a shell of `docker exec` gets the same. */
export function announceVariables({ variables }: Step & { do: 'environment' }, log: Log): void {
  const flags = Object.entries(variables).map(([name, value]) => `-e ${quote(`${name}=${value}`)}`);
  log.info(
    `nix.conf cannot be written, so a shell has to be told: docker exec ${flags.join(' ')} CONTAINER COMMAND`,
  );
}

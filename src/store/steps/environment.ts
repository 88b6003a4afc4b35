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

import { InitError } from '../../errors.ts';

/** How something refuses that a boot would do, too. */
export function refusalOf(act: () => void): InitError | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof InitError) return error;
    throw error;
  }
}

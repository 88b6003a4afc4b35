import type { AsyncCommand } from 'fast-check';
import type { Ground } from '../ground.ts';
import type { Model } from '../model.ts';

/** One operation: on the real thing, and on the model of it. */
export type Command = AsyncCommand<Model, Ground>;

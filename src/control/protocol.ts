import * as z from 'zod/mini';

/** Both sides say it with each message; the program on the other side may be another release. */
export const VERSION = 1;

/** Of one request, in bytes. */
export const MOST_REQUEST_BYTES = 4096;

/** Of one line of an answer, in bytes: a status, or a plan in the journal. */
export const MOST_REPLY_BYTES = 4 * 1024 * 1024;

const v = z.literal(VERSION);
const serviceName = z.string().check(z.minLength(1), z.maxLength(255));

/** What a client may ask: one request a connection, one line of JSON. */
export const requestSchema = z.discriminatedUnion('do', [
  /** What is true now. */
  z.strictObject({ v, do: z.literal('status') }),
  /** Answers when the command runs and the services were started. */
  z.strictObject({ v, do: z.literal('wait') }),
  /** As `docker stop` would. */
  z.strictObject({ v, do: z.literal('stop') }),
  z.strictObject({ v, do: z.literal('restart'), service: serviceName }),
  /** The last entries of the journal; with `follow` what comes, until one side hangs up. */
  z.strictObject({ v, do: z.literal('logs'), last: z.int().check(z.gte(0)), follow: z.boolean() }),
  /** Runs the command of that name beside everything else. */
  z.strictObject({
    v,
    do: z.literal('gc'),
    maxSize: z.optional(z.string()),
    olderThan: z.optional(z.string()),
    dryRun: z.optional(z.boolean()),
  }),
  z.strictObject({
    v,
    do: z.literal('check'),
    contents: z.optional(z.boolean()),
    repair: z.optional(z.boolean()),
  }),
]);

export type Request = z.output<typeof requestSchema>;
export type RequestName = Request['do'];

/** An error as it is told: the parts of DESIGN §4.3's line. */
const failureSchema = z.strictObject({
  stage: z.string(),
  what: z.string(),
  errno: z.string(),
  remedy: z.string(),
  exitCode: z.int(),
});

/** What is answered, a line of JSON each: any number of items, then the end of it or an error. */
export const replySchema = z.union([
  z.strictObject({ v, item: z.unknown() }),
  z.strictObject({ v, done: z.unknown() }),
  z.strictObject({ v, error: failureSchema }),
]);

export type Reply = z.output<typeof replySchema>;
export type ToldFailure = z.output<typeof failureSchema>;

/** Something of init's own that goes on beside the command, and has to come to an end. */
export type Companion = {
  /** To be called when the command runs. */
  start(): void;
  /** Nothing more is to begin. */
  stop(): void;
  /** The rest, when nothing else runs any more, for as long as it is not aborted. */
  finish(signal: AbortSignal): Promise<void>;
};

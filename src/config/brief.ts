/** Longer ones are told by their beginning: a message is to stay one that can be read. */
const MOST_SHOWN = 200;

/** What somebody wrote, as a message shows it. */
export const brief = (text: string): string =>
  text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;

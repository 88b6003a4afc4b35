/** The parts of a shutdown's grace, in milliseconds from its start. */
export type Grace = {
  /** When everyone else is told, if the main command still runs. */
  othersAt: number;
  /** When the main command and everyone else are killed, those who belong to a service excepted. */
  killAt: number;
  /** When a service is killed, by its place in the order of starts. */
  serviceAt(index: number): number;
};

const SHARE_OF_SERVICE = 0.1;
const MOST_FOR_SERVICES = 0.3;
/** The main command's start over everyone else. */
const HEAD_START = 2 / 3;

/**
 * Services stop last, since the others may need them to finish, in the reverse order of their start. A tenth is kept for
 * each of them, but three tenths at most; what is not used goes to who comes later. One tenth is kept in any case.
 */
export function shareGrace(graceMs: number, services: number): Grace {
  const kept = graceMs * Math.min(Math.max(services, 1) * SHARE_OF_SERVICE, MOST_FOR_SERVICES);
  const killAt = graceMs - kept;
  return {
    othersAt: killAt * HEAD_START,
    killAt,
    serviceAt: (index) => graceMs - (kept / services) * index,
  };
}

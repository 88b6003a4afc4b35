/** Signals by number (signal(7)), as far as tests speak of them. */
export const signal = {
  ...{
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ILL: 4,
    BUS: 7,
    FPE: 8,
    KILL: 9,
    USR1: 10,
    SEGV: 11,
    USR2: 12,
    PIPE: 13,
    TERM: 15,
  },
  ...{ CHLD: 17, CONT: 18, STOP: 19, TSTP: 20, TTIN: 21, TTOU: 22, URG: 23, WINCH: 28 },
} as const;

const { ILL, BUS, FPE, KILL, SEGV, CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH } = signal;

const standardSignals = Array.from({ length: 31 }, (_, index) => index + 1);

const allBut = (...others: number[]): number[] =>
  standardSignals.filter((number) => !others.includes(number));

/** What init hands on: all that can be caught, but for SIGCHLD and the faults of init itself. */
export const forwardedSignals = allBut(KILL, STOP, CHLD, ILL, BUS, FPE, SEGV);

/** Those that end a program which does nothing about them. */
export const deadlySignals = allBut(CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH);

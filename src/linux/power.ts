import { checked, lazily } from './libc.ts';

const reboot1 = lazily('reboot', { return: 'int32', arguments: ['int32'] });
const sync0 = lazily('sync', { return: 'void', arguments: [] });

/** Commands of reboot(2), as libc has them. */
const commands = { 'power off': 0x4321fedc, restart: 0x01234567 } as const;
const RB_DISABLE_CAD = 0;

export type WayOut = keyof typeof commands;

/** Writes to the disks what is to be written (sync(2)), and ends the machine. Returns only where it may not. */
export function endMachine(way: WayOut): void {
  sync0()();
  checked('reboot', () => reboot1()(commands[way]));
}

/** Ctrl-Alt-Del becomes a SIGINT for PID 1, in the place of a restart at once. */
export function catchCtrlAltDel(): void {
  checked('reboot', () => reboot1()(RB_DISABLE_CAD));
}

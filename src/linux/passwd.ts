/** A line of /etc/passwd (passwd(5)). */
export type PasswdEntry = { name: string; uid: number; gid: number; home: string };

/** A line of /etc/group (group(5)). */
export type GroupEntry = { name: string; gid: number; members: readonly string[] };

/** The largest ID that is not (uid_t)-1, which means "leave it" to the kernel. */
const LARGEST_ID = 2 ** 32 - 2;

/** An ID as people write it; undefined for what is none. */
export function parseId(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= LARGEST_ID ? Number(text) : undefined;
}

/** Lines that make no sense are passed over, as the C library does. */
export function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) => {
    const ids = [parseId(uid), parseId(gid)] as const;
    if (name === '' || ids[0] === undefined || ids[1] === undefined) return [];
    return [{ name, uid: ids[0], gid: ids[1], home: home || '/' }];
  });
}

export function parseGroup(text: string): GroupEntry[] {
  return lines(text).flatMap(([name = '', , id = '', members = '']) => {
    const gid = parseId(id);
    if (name === '' || gid === undefined) return [];
    return [{ name, gid, members: members.split(',').filter((member) => member !== '') }];
  });
}

const lines = (text: string): string[][] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));

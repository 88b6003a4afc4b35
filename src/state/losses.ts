import type { Loss } from './copy.ts';

/** For `copyTree` of a state directory: hands on what can be done without, and fails for what cannot. */
export function toleratedLoss(onLoss: (loss: Loss) => void): (loss: Loss) => void {
  return (loss) => {
    if (loss.what === 'contents' && isNeeded(loss.path)) throw loss.error;
    onLoss(loss);
  };
}

/** Without its database the state is none. The space that Nix keeps in reserve it makes anew by itself. */
const isNeeded = (path: string): boolean => path.startsWith('db/') && path !== 'db/reserved';

/** How many names fit a line. */
const MOST_NAMED = 3;

/** What was lost on the way, and why, in one line. */
export function describeLosses(losses: readonly Loss[]): string {
  const unread = losses.filter(({ what }) => what === 'contents').map(({ path }) => path);
  const unowned = losses.length - unread.length;
  const more = unread.length > MOST_NAMED ? ', …' : '';
  const parts = [
    ...(unowned > 0 ? [`${unowned} without the owners or groups they had`] : []),
    ...(unread.length > 0
      ? [`${unread.length} not at all, unreadable here (${unread.slice(0, MOST_NAMED).join(', ')}${more})`]
      : []),
  ];
  return `of the image's Nix state were copied: ${parts.join('; ')}. This user namespace has no numbers for those users; a rootless engine maps more with /etc/subuid`;
}

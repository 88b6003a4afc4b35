import { type Boot, type Container, startIdle } from './container.ts';

/** The shell recipe that this program replaces, as people have it in their entry points. */
export const recipe = `
mkdir -p /nix-cache/upper /nix-cache/workdir /nix-cache/var
[ -e /nix-cache/var/nix ] || cp -a /nix/var/nix /nix-cache/var/nix
busybox mount -t overlay overlay -o lowerdir=/nix/store,upperdir=/nix-cache/upper,workdir=/nix-cache/workdir /nix/store
busybox mount --bind /nix-cache/var/nix /nix/var/nix
`;

/** As `startIdle`, with the recipe in the place of init. */
export function startRecipe(options: Omit<Boot, 'command'> = {}): Promise<Container> {
  const before = ['-euc', `${recipe} exec "$@"`, 'sh'];
  return startIdle({ ...options, flags: ['--entrypoint', 'sh', ...(options.flags ?? [])], before });
}

/** Where everything is on the volume (DESIGN §4.4). The names of the original shell recipe are kept. */
export function volumeLayout(cacheDir: string) {
  const own = `${cacheDir}/.nix-cache-init`;
  return {
    root: cacheDir,
    upper: `${cacheDir}/upper`,
    work: `${cacheDir}/workdir`,
    state: `${cacheDir}/var/nix`,
    /** Build logs, where the image's own place for them cannot be written. */
    log: `${cacheDir}/var/log`,
    /** Everything of the `prefix` strategy, unless a directory of it is configured elsewhere on the volume. */
    prefix: `${cacheDir}/root`,
    own,
    manifest: `${own}/manifest.json`,
    lock: `${own}/lock`,
    /** What is kept for people to look at, and in `superseded` what is not kept. */
    trash: `${own}/trash`,
    /** Copies of paths that the image has come to have. */
    superseded: `${own}/trash/store`,
    /** Rows of paths that wait in `upper` for an image with which they are whole. */
    remembered: `${own}/remembered.json`,
    /** How `upper` looked when it was last gone through. */
    swept: `${own}/swept`,
    /** A copy of an image's database, for the time of the reconcile. */
    imageCopy: `${own}/image`,
    /** The databases of the image and of further lowers as one, for the time of the reconcile. */
    combined: `${own}/combined`,
    /** For each further lower, a layer above it that hides what must not be seen of it. */
    masks: `${own}/masks`,
    /** Where a database is put together that takes the place of a damaged one. */
    rescue: `${own}/rescue`,
    /** What the image brought of profiles and roots, as of the last merge. */
    imageLinks: `${own}/image-links.json`,
    /** Roots in project directories that may be absent at a boot. */
    indirectRoots: `${own}/indirect-roots.json`,
    /** What the last garbage collection came to. */
    lastGc: `${own}/gc.json`,
    /** The binary cache of strategy `substituter`. */
    binaryCache: `${cacheDir}/binary-cache`,
    /** The key pair that it is signed with. */
    cacheKey: `${own}/binary-cache-key`,
    /** There while somebody writes to the binary cache, and after a kill. */
    cacheOpen: `${own}/binary-cache-open`,
    /** Profiles and roots, where no state directory is on the volume. */
    cacheLinks: `${own}/links.json`,
    /** What was pushed to which binary cache, a file for each. */
    pushed: `${own}/pushed`,
    /** Where the state is put together before it gets its name. */
    staging: `${own}/seed`,
    /** Where doctor tries what the file system can do. Not in `own`, which it would have to make, and a boot to miss when it goes. */
    probe: `${cacheDir}/.nix-cache-init.doctor`,
  } as const;
}

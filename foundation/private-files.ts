/**
 * Makes what this process and its children create its user's alone: folders 0700, files 0600. The first call of each
 * process that serves; what exists already keeps its mode.
 */
export function keepFilesPrivate(): void {
  process.umask(0o077);
}

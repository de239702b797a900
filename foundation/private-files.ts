/**
 * Makes files and folders that this process and its children create private to their user: folders 0700,
 * files 0600. Every serving process calls it first. Existing files keep their mode.
 */
export function keepFilesPrivate(): void {
  process.umask(0o077);
}

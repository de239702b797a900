/** Files of a drop: those in folders, too, with their paths. */

/** Files of a drop at most: a browser lists each of them. */
const MAX_FILES = 100_000;

/** Returns the files that were dropped, and those of dropped folders, whose `webkitRelativePath` has the folder. */
export async function droppedFiles({ files, items }: DataTransfer): Promise<File[]> {
  // Entries are gone once the event is over, so they are all taken first.
  const entries = [...items].map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry?.isDirectory === true)) return [...files];
  const found: File[] = [];
  for (const entry of entries) if (entry !== null) await collect(entry, found);
  return found;
}

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (found.length >= MAX_FILES || entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.push(Object.defineProperty(file, "webkitRelativePath", { value: entry.fullPath.slice(1) }));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a folder in parts, and none at its end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return;
    for (const one of part.sort((a, b) => (a.name < b.name ? -1 : 1))) await collect(one, found);
  }
}
